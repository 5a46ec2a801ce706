package main

import (
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

// operator reads every object of the Prometheus operator with the operator's own types; an unknown field is an error.
func operator(files []string) error {
	all, err := documents(files)
	if err != nil {
		return err
	}
	checked := 0
	for _, doc := range all {
		var object any
		switch doc.kind {
		case "PodMonitor":
			object = &monitoring.PodMonitor{}
		case "PrometheusRule":
			object = &monitoring.PrometheusRule{}
		default:
			continue
		}
		if err := yaml.UnmarshalStrict(doc.text, object); err != nil {
			return fmt.Errorf("%s: %s %s: %w", doc.file, doc.kind, doc.name, err)
		}
		checked++
	}
	if checked == 0 {
		return fmt.Errorf("no objects of the Prometheus operator in %v: nothing was checked", files)
	}
	fmt.Printf("operator: %d objects\n", checked)
	return nil
}
