{{/*
What Pod Security's profile `restricted` asks for, and a read-only root file system on top. Every pod of the chart has it.
*/}}

{{/* Of a pod. Takes the number that is user and group. */}}
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
