{{/* The clock of the objectives, and what follows from it. An upgrade with --reuse-values may know no clock. */}}
{{- define "sre-lab.clock" -}}
{{ .Values.clock | default "lab" }}
{{- end }}

{{/* The rules that are loaded: those that people write, and those of one clock. A pattern of .Files.Glob. */}}
{{- define "sre-lab.rules" -}}
files/rules/{*,{{ include "sre-lab.clock" . }}/*}.yml
{{- end }}

{{/* How often services are scraped and rules are evaluated. */}}
{{- define "sre-lab.interval" -}}
{{ .Values.prometheus.interval | default (eq (include "sre-lab.clock" .) "production" | ternary "5s" "1s") }}
{{- end }}

{{/* How long samples are kept: a period of the objectives, and a little more. */}}
{{- define "sre-lab.retention" -}}
{{ .Values.prometheus.retention | default (eq (include "sre-lab.clock" .) "production" | ternary "35d" "2d") }}
{{- end }}

{{/* How much of them is kept. */}}
{{- define "sre-lab.retentionSize" -}}
{{ .Values.prometheus.retentionSize | default (eq (include "sre-lab.clock" .) "production" | ternary "16GB" "1GB") }}
{{- end }}
