{{/*
The requirements of Pod Security's profile `restricted`, plus a read-only root file system. Every pod of the chart uses it.
*/}}

{{/* Of a pod. Takes the number of the user and the group. */}}
{{- define "sre-lab.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* Of a container. */}}
{{- define "sre-lab.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}
