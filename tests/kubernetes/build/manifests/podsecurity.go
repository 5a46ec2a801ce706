package main

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// podSecurity fails for every pod that a namespace with `enforce: restricted` would refuse, and for every container
// with a writable root file system.
func podSecurity(files []string) error {
	found, err := pods(files)
	if err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	refused := 0
	for _, pod := range found {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.meta, &pod.spec))
		if !result.Allowed {
			refused++
			fmt.Printf("%s: %s %s: %s\n", pod.file, pod.kind, pod.name, result.ForbiddenDetail())
		}
		for _, container := range containers(pod.spec) {
			if security := container.SecurityContext; security == nil || security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
				refused++
				fmt.Printf("%s: %s %s: container %s can write its root file system\n", pod.file, pod.kind, pod.name, container.Name)
			}
		}
	}
	fmt.Printf("podsecurity: %d pods, %d violations of `restricted`\n", len(found), refused)
	if refused > 0 {
		return fmt.Errorf("%d violations", refused)
	}
	return nil
}

func containers(spec corev1.PodSpec) []corev1.Container {
	return append(append([]corev1.Container{}, spec.InitContainers...), spec.Containers...)
}

// requests sums the memory requests of all pods (times replicas, without the pods of tests) and compares the sum to
// the limit.
func requests(limit string, files []string) error {
	most, err := resource.ParseQuantity(limit)
	if err != nil {
		return fmt.Errorf("%q is not a quantity such as 2560Mi: %w", limit, err)
	}
	found, err := pods(files)
	if err != nil {
		return err
	}
	var sum resource.Quantity
	for _, pod := range found {
		if pod.kind == "Pod" {
			continue
		}
		for range pod.replicas {
			for _, container := range pod.spec.Containers {
				memory, set := container.Resources.Requests[corev1.ResourceMemory]
				if !set {
					return fmt.Errorf("%s: %s %s: container %s requests no memory", pod.file, pod.kind, pod.name, container.Name)
				}
				sum.Add(memory)
			}
		}
	}
	fmt.Printf("requests: %s of memory, limit %s\n", sum.String(), most.String())
	if sum.Cmp(most) > 0 {
		return fmt.Errorf("the pods request %s of memory, more than %s", sum.String(), most.String())
	}
	return nil
}
