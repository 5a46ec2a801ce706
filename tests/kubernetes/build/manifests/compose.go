package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
)

// compose loads a Compose file as docker compose does: schema, references, dependencies; and checks that every file
// that it mounts exists.
func compose(file string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(filepath.Dir(file)))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != "bind" || volume.Source == "/var/run/docker.sock" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				return fmt.Errorf("%s: %s mounts %s: %w", file, service.Name, volume.Source, err)
			}
		}
	}
	fmt.Printf("compose: %d services\n", len(project.Services))
	return nil
}
