package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// schemas converts Kubernetes' OpenAPI document to JSON schemas with the file names that kubeconform expects: one
// file per kind (`deployment-apps-v1.json`), each of which refers to definitions.json.
//
// Stricter than the document: objects with known fields must not have others.
func schemas(swagger, out string) error {
	text, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var document struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return fmt.Errorf("%s: %w", swagger, err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	kinds := 0
	for name, definition := range document.Definitions {
		versions, _ := definition["x-kubernetes-group-version-kind"].([]any)
		strict(definition)
		switch name {
		case "io.k8s.apimachinery.pkg.api.resource.Quantity":
			// The API accepts numbers as well.
			definition["type"] = []any{"string", "number"}
		case "io.k8s.apimachinery.pkg.util.intstr.IntOrString":
			definition["type"] = []any{"string", "integer"}
			delete(definition, "format")
		}
		if len(versions) != 1 {
			continue
		}
		version := versions[0].(map[string]any)
		pointer := map[string]any{"$ref": "definitions.json#/definitions/" + name}
		if err := write(filepath.Join(out, fileName(version)), pointer); err != nil {
			return err
		}
		kinds++
	}
	fmt.Printf("schemas: %d kinds\n", kinds)
	return write(filepath.Join(out, "definitions.json"), map[string]any{"definitions": document.Definitions})
}

// fileName is kubeconform's `{{.ResourceKind}}{{.KindSuffix}}.json`: the group's first word and the version.
func fileName(version map[string]any) string {
	words := []string{strings.ToLower(version["kind"].(string))}
	if group := version["group"].(string); group != "" {
		words = append(words, strings.Split(group, ".")[0])
	}
	return strings.Join(append(words, version["version"].(string)), "-") + ".json"
}

// strict forbids unknown fields in objects with known fields, at every depth.
func strict(schema map[string]any) {
	properties, known := schema["properties"].(map[string]any)
	if known {
		if _, open := schema["additionalProperties"]; !open {
			schema["additionalProperties"] = false
		}
	}
	for _, property := range properties {
		if inner, ok := property.(map[string]any); ok {
			strict(inner)
		}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok {
			strict(inner)
		}
	}
}

func write(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
