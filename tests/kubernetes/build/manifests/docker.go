package main

import (
	"fmt"
	"os"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// dockerRun prints the arguments of `docker run`, one per line, that start the only container of a pod as in the
// manifest: image, command, environment, user, read-only root, capabilities, memory limit. emptyDir volumes become
// tmpfs; other volumes are left to the caller. A variable from a secret is passed on from the caller's environment,
// and must be set there. image replaces the pod's image, unless it is empty.
func dockerRun(name, file, image string) error {
	found, err := find(name, file)
	if err != nil {
		return err
	}
	container := found.spec.Containers[0]
	var args []string
	add := func(values ...string) { args = append(args, values...) }

	pod, own := found.spec.SecurityContext, container.SecurityContext
	if pod == nil || pod.RunAsUser == nil || pod.RunAsGroup == nil || own == nil {
		return fmt.Errorf("%s: %s sets no user, or no security context", file, name)
	}
	add("--user", fmt.Sprintf("%d:%d", *pod.RunAsUser, *pod.RunAsGroup))
	if own.ReadOnlyRootFilesystem != nil && *own.ReadOnlyRootFilesystem {
		add("--read-only")
	}
	if own.AllowPrivilegeEscalation != nil && !*own.AllowPrivilegeEscalation {
		add("--security-opt", "no-new-privileges")
	}
	for _, capability := range own.Capabilities.Drop {
		add("--cap-drop", string(capability))
	}
	if memory, set := container.Resources.Limits[corev1.ResourceMemory]; set {
		add("--memory", strconv.FormatInt(memory.Value(), 10))
	}
	for _, variable := range container.Env {
		switch {
		case variable.ValueFrom == nil:
			add("--env", variable.Name+"="+variable.Value)
		case os.Getenv(variable.Name) != "":
			add("--env", variable.Name)
		default:
			return fmt.Errorf("%s takes %s from a secret: set it in the environment", name, variable.Name)
		}
	}
	for _, volume := range found.spec.Volumes {
		for _, mount := range container.VolumeMounts {
			if volume.EmptyDir != nil && mount.Name == volume.Name {
				add("--tmpfs", fmt.Sprintf("%s:uid=%d,gid=%d,mode=0750", mount.MountPath, *pod.RunAsUser, *pod.RunAsGroup))
			}
		}
	}
	if len(container.Command) > 0 {
		add("--entrypoint", container.Command[0])
		container.Args = append(container.Command[1:], container.Args...)
	}
	if image == "" {
		image = container.Image
	}
	add(image)
	for _, line := range append(args, container.Args...) {
		fmt.Println(line)
	}
	return nil
}

// probes prints each HTTP probe of a pod's container as `KIND PORT PATH`.
func probes(name, file string) error {
	found, err := find(name, file)
	if err != nil {
		return err
	}
	container := found.spec.Containers[0]
	ports := map[string]int32{}
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	for _, probe := range []struct {
		kind  string
		probe *corev1.Probe
	}{{"startup", container.StartupProbe}, {"readiness", container.ReadinessProbe}, {"liveness", container.LivenessProbe}} {
		if probe.probe == nil || probe.probe.HTTPGet == nil {
			return fmt.Errorf("%s: %s has no HTTP %s probe", file, name, probe.kind)
		}
		port := probe.probe.HTTPGet.Port.IntVal
		if port == 0 {
			port = ports[probe.probe.HTTPGet.Port.StrVal]
		}
		fmt.Printf("%s %d %s\n", probe.kind, port, probe.probe.HTTPGet.Path)
	}
	return nil
}

func find(name, file string) (pod, error) {
	found, err := pods([]string{file})
	if err != nil {
		return pod{}, err
	}
	for _, pod := range found {
		if pod.name == name {
			return pod, nil
		}
	}
	return pod{}, fmt.Errorf("%s: no object called %s runs pods", file, name)
}
