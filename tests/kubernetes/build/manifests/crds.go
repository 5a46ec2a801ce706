package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// A CustomResourceDefinition, as far as schemas need it.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Schema struct {
				OpenAPI map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

// crds converts definitions of operators' kinds to JSON schemas for kubeconform, one file per kind and version, as strict as
// those of Kubernetes' own kinds.
func crds(out string, files []string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	kinds := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var read definition
		if err := yaml.Unmarshal(text, &read); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, version := range read.Spec.Versions {
			if version.Schema.OpenAPI == nil {
				return fmt.Errorf("%s: version %s has no schema", file, version.Name)
			}
			strict(version.Schema.OpenAPI)
			name := map[string]any{"kind": read.Spec.Names.Kind, "group": read.Spec.Group, "version": version.Name}
			if err := write(filepath.Join(out, fileName(name)), version.Schema.OpenAPI); err != nil {
				return err
			}
			kinds++
		}
	}
	if kinds == 0 {
		return fmt.Errorf("no definitions in %v", files)
	}
	fmt.Printf("crds: %d kinds\n", kinds)
	return nil
}

// Scalers are what KEDA says of the parameters of its triggers: a definition knows them only as texts.
type scalers struct {
	Scalers []struct {
		Type       string `json:"type"`
		Parameters []struct {
			Name     string `json:"name"`
			Optional bool   `json:"optional"`
			Default  any    `json:"default"`
		} `json:"parameters"`
	} `json:"scalers"`
}

// wrong says what KEDA would not understand of a trigger; nothing, if it is fine.
func (s scalers) wrong(kind string, metadata map[string]string) error {
	for _, scaler := range s.Scalers {
		if scaler.Type != kind {
			continue
		}
		known := map[string]bool{}
		for _, parameter := range scaler.Parameters {
			known[parameter.Name] = true
			if _, given := metadata[parameter.Name]; !given && !parameter.Optional && parameter.Default == nil {
				return fmt.Errorf("the trigger %s lacks %s", kind, parameter.Name)
			}
		}
		for name := range metadata {
			if !known[name] {
				return fmt.Errorf("the trigger %s has no parameter %s", kind, name)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no trigger %s", kind)
}

// triggers checks those of all ScaledObjects in the files against KEDA's own list of scalers.
func triggers(list string, files []string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var known scalers
	if err := json.Unmarshal(text, &known); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	all, err := documents(files)
	if err != nil {
		return err
	}
	checked := 0
	for _, doc := range all {
		if doc.kind != "ScaledObject" {
			continue
		}
		var object struct {
			Spec struct {
				Triggers []struct {
					Type     string            `json:"type"`
					Metadata map[string]string `json:"metadata"`
				} `json:"triggers"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal(doc.text, &object); err != nil {
			return fmt.Errorf("%s: %s: %w", doc.file, doc.name, err)
		}
		for _, trigger := range object.Spec.Triggers {
			if err := known.wrong(trigger.Type, trigger.Metadata); err != nil {
				return fmt.Errorf("%s: %s: %w", doc.file, doc.name, err)
			}
			checked++
		}
	}
	if checked == 0 {
		return fmt.Errorf("no triggers of KEDA in %v: nothing was checked", files)
	}
	fmt.Printf("triggers: %d\n", checked)
	return nil
}
