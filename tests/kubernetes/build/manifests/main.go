// Checks of rendered manifests that need Kubernetes' own code, but no cluster.
//
//	manifests schemas SWAGGER OUT     JSON schemas for kubeconform, from Kubernetes' OpenAPI document
//	manifests crds OUT FILE...        the same, from CustomResourceDefinitions of operators
//	manifests triggers LIST FILE...   triggers of KEDA's ScaledObjects against KEDA's list of its scalers' parameters
//	manifests podsecurity FILE...     every pod against Pod Security's profile `restricted`, with the admission's own rules
//	manifests requests LIMIT FILE...  the sum of the memory requests of all pods, which must stay below LIMIT
//	manifests operator FILE...        objects of the Prometheus operator against its own types; unknown fields are errors
//	manifests docker NAME FILE IMAGE  arguments of `docker run` that start a pod's container as the manifest says
//	manifests probes NAME FILE        its HTTP probes: kind, port, path
//	manifests templates FILE          the pods that the objects create, as separate objects
//	manifests compose FILE            a Compose file, with the code of docker compose
//	manifests alloy FILE...           configurations of Alloy, with its own parser, and what their components refer to
//	manifests data NAME KEY FILE      the text under a key of a ConfigMap
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	usage := fmt.Errorf("expected: schemas SWAGGER OUT | crds OUT FILE... | triggers LIST FILE... | podsecurity FILE... | requests LIMIT FILE... | operator FILE... | docker NAME FILE IMAGE | probes NAME FILE | templates FILE | compose FILE | alloy FILE... | data NAME KEY FILE; got %q", strings.Join(args, " "))
	if len(args) < 2 {
		return usage
	}
	switch command, rest := args[0], args[1:]; {
	case command == "schemas" && len(rest) == 2:
		return schemas(rest[0], rest[1])
	case command == "crds" && len(rest) > 1:
		return crds(rest[0], rest[1:])
	case command == "triggers" && len(rest) > 1:
		return triggers(rest[0], rest[1:])
	case command == "podsecurity":
		return podSecurity(rest)
	case command == "requests" && len(rest) > 1:
		return requests(rest[0], rest[1:])
	case command == "operator":
		return operator(rest)
	case command == "docker" && len(rest) == 3:
		return dockerRun(rest[0], rest[1], rest[2])
	case command == "probes" && len(rest) == 2:
		return probes(rest[0], rest[1])
	case command == "templates" && len(rest) == 1:
		return templates(rest[0])
	case command == "compose" && len(rest) == 1:
		return compose(rest[0])
	case command == "alloy":
		return alloy(rest)
	case command == "data" && len(rest) == 3:
		return data(rest[0], rest[1], rest[2])
	}
	return usage
}
