{{/*
Desired state of the edges. A repository keeps it as values, and the program that applies the chart applies it: Argo CD, Flux, helm. Everything is
as if it were not there while nothing is set.
*/}}

{{/* The routes with a limit for every client on each of them. Takes (list $ $routes). */}}
{{- define "sre-lab.limited" -}}
{{- $routes := last . -}}
{{- with (first .).Values.desired -}}
{{- with .limit -}}
{{- $routes = regexReplaceAll "(?m)^(  - name: .*)$" $routes (printf "${1}\n    limit: {rps: %v, burst: %d}" .rps (int .burst)) -}}
{{- end -}}
{{- end -}}
{{ $routes }}
{{- end }}

{{/*
The files of the firewall's rules, as data of a ConfigMap; nothing while no rule is set: then the edge has those of its image. A mode replaces
that of the rule's file.
*/}}
{{- define "sre-lab.wafRules" -}}
{{- with .Values.desired -}}
{{- if or .modes .rules -}}
{{- $files := dict -}}
{{- range $path, $text := $.Files.Glob "files/waf/*.yaml" -}}
{{- $_ := set $files (base $path) (toString $text) -}}
{{- end -}}
{{- range $rule, $text := .rules -}}
{{- $_ := set $files (printf "%s.yaml" $rule) $text -}}
{{- end -}}
{{- range $rule, $mode := .modes -}}
{{- $file := printf "%s.yaml" $rule -}}
{{- if not (hasKey $files $file) -}}
{{- fail (printf "desired.modes sets %s, but there is no such rule: add it to desired.rules, or name one of %s." $rule (keys $files | sortAlpha | join ", " | replace ".yaml" "")) -}}
{{- end -}}
{{- $_ := set $files $file (regexReplaceAll "(?m)^mode: .*$" (get $files $file) (printf "mode: %s" $mode)) -}}
{{- end -}}
{{ toYaml $files }}
{{- end -}}
{{- end -}}
{{- end }}
