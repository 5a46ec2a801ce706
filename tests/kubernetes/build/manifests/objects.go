package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// A document in a file, as text.
type document struct {
	file string
	kind string
	name string
	text []byte
}

// documents splits the files into their documents, without empty ones.
func documents(files []string) ([]document, error) {
	var all []document
	for _, file := range files {
		opened, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		reader := utilyaml.NewYAMLReader(bufio.NewReader(opened))
		for {
			text, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			var head metav1.PartialObjectMetadata
			if err := yaml.Unmarshal(text, &head); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if head.Kind != "" {
				all = append(all, document{file, head.Kind, head.Name, text})
			}
		}
	}
	return all, nil
}

// A pod that an object creates, and how many of it.
type pod struct {
	document
	replicas int32
	meta     metav1.ObjectMeta
	spec     corev1.PodSpec
}

// pods finds the pods of the objects in the files.
func pods(files []string) ([]pod, error) {
	all, err := documents(files)
	if err != nil {
		return nil, err
	}
	var found []pod
	for _, doc := range all {
		made := pod{document: doc, replicas: 1}
		var err error
		read := func(object any) { err = yaml.Unmarshal(doc.text, object) }
		switch doc.kind {
		case "Pod":
			var object corev1.Pod
			read(&object)
			made.meta, made.spec = object.ObjectMeta, object.Spec
		case "Deployment":
			var object appsv1.Deployment
			read(&object)
			made.take(object.Spec.Template, object.Spec.Replicas)
		case "StatefulSet":
			var object appsv1.StatefulSet
			read(&object)
			made.take(object.Spec.Template, object.Spec.Replicas)
			// As its controller does: one volume per claim.
			for _, claim := range object.Spec.VolumeClaimTemplates {
				source := corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + doc.name + "-0"}
				volume := corev1.Volume{Name: claim.Name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &source}}
				made.spec.Volumes = append(made.spec.Volumes, volume)
			}
		case "DaemonSet":
			var object appsv1.DaemonSet
			read(&object)
			made.take(object.Spec.Template, nil)
		case "Job":
			var object batchv1.Job
			read(&object)
			made.take(object.Spec.Template, nil)
		case "CronJob":
			var object batchv1.CronJob
			read(&object)
			made.take(object.Spec.JobTemplate.Spec.Template, nil)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", doc.file, doc.kind, doc.name, err)
		}
		found = append(found, made)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no pods in %v: nothing was checked", files)
	}
	return found, nil
}

func (p *pod) take(template corev1.PodTemplateSpec, replicas *int32) {
	p.meta, p.spec = template.ObjectMeta, template.Spec
	if replicas != nil {
		p.replicas = *replicas
	}
}

// data prints the value of a key in a ConfigMap.
func data(name, key, file string) error {
	all, err := documents([]string{file})
	if err != nil {
		return err
	}
	for _, doc := range all {
		if doc.kind != "ConfigMap" || doc.name != name {
			continue
		}
		var object corev1.ConfigMap
		if err := yaml.Unmarshal(doc.text, &object); err != nil {
			return fmt.Errorf("%s: ConfigMap %s: %w", file, name, err)
		}
		text, found := object.Data[key]
		if !found {
			return fmt.Errorf("%s: the ConfigMap %s has no key %s", file, name, key)
		}
		fmt.Print(text)
		return nil
	}
	return fmt.Errorf("%s: there is no ConfigMap %s", file, name)
}

// templates prints the pods that the objects in the file create, as separate objects, for an API server without
// controllers.
func templates(file string) error {
	found, err := pods([]string{file})
	if err != nil {
		return err
	}
	for _, pod := range found {
		pod.meta.Name = "template-" + pod.name
		object := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: pod.meta, Spec: pod.spec}
		text, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		fmt.Printf("---\n%s", text)
	}
	return nil
}
