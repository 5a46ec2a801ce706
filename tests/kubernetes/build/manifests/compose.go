package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads a Compose file as docker compose does, with every profile: schema, references, dependencies; and checks that
// every file that it mounts exists, and every stage that it builds.
func compose(file string) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(filepath.Dir(file)), cli.WithProfiles([]string{"*"}))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	builds := 0
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != "bind" || volume.Source == "/var/run/docker.sock" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				return fmt.Errorf("%s: %s mounts %s: %w", file, service.Name, volume.Source, err)
			}
		}
		if service.Build != nil {
			if err := stage(*service.Build); err != nil {
				return fmt.Errorf("%s: %s: %w", file, service.Name, err)
			}
			builds++
		}
	}
	fmt.Printf("compose: %d services, %d built here\n", len(project.Services), builds)
	return nil
}

// stage checks that the Dockerfile of a build has its target.
func stage(build types.BuildConfig) error {
	dockerfile := build.Dockerfile
	if !filepath.IsAbs(dockerfile) {
		dockerfile = filepath.Join(build.Context, dockerfile)
	}
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return err
	}
	line := regexp.MustCompile(`(?m)^FROM .* AS ` + regexp.QuoteMeta(build.Target) + `$`)
	if build.Target == "" || !line.Match(text) {
		return fmt.Errorf("%s has no stage %q", dockerfile, build.Target)
	}
	return nil
}
