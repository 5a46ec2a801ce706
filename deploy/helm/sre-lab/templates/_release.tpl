{{/*
A release: what beside the service itself is of the new version, or is compared with it. Everything is as if it were not there while
no service is named.
*/}}

{{/* The service that is released; nothing while none is. */}}
{{- define "sre-lab.released" -}}
{{- with .Values.release }}{{ .service }}{{ end -}}
{{- end }}

{{/* The two Deployments of a release by name, with the tags of their images, as JSON. The baseline is what runs anyway. */}}
{{- define "sre-lab.guests" -}}
{{- $guests := dict -}}
{{- with include "sre-lab.released" . -}}
{{- $guests = dict (printf "%s-baseline" .) "" (printf "%s-canary" .) $.Values.release.tag -}}
{{- end -}}
{{ toJson $guests }}
{{- end }}

{{/* Who may call whom, as `sre-lab.edges` but as a list in JSON: a guest may do what its service may. */}}
{{- define "sre-lab.edgesWithGuests" -}}
{{- $edges := (include "sre-lab.edges" . | fromYaml).edges -}}
{{- $service := include "sre-lab.released" . -}}
{{- range $edge := $edges -}}
{{- range $guest, $tag := include "sre-lab.guests" $ | fromJson -}}
{{- if eq $edge.from $service }}{{ $edges = append $edges (dict "from" $guest "to" $edge.to "port" $edge.port) }}{{ end -}}
{{- if eq $edge.to $service }}{{ $edges = append $edges (dict "from" $edge.from "to" $guest "port" $edge.port) }}{{ end -}}
{{- end -}}
{{- end -}}
{{ toJson $edges }}
{{- end }}

{{/*
The routes with the requests to the service split: the rest for the service, and as much for the baseline as for the canary, which
comes last, as the edge expects. Local mode splits them in the same way. Takes (list $ $routes).
*/}}
{{- define "sre-lab.split" -}}
{{- $root := first . -}}
{{- $routes := last . -}}
{{- with include "sre-lab.released" $root -}}
{{- $weight := int $root.Values.release.weight -}}
{{- if gt $weight 0 -}}
{{- $alone := printf "\n  %s:\n    endpoints: " . -}}
{{- $upstreams := $alone -}}
{{- $targets := printf "{upstream: %s, weight: %d}" . (sub 100 (mul 2 $weight)) -}}
{{- range $guest, $tag := include "sre-lab.guests" $root | fromJson -}}
{{- $port := (index $root.Values.services (include "sre-lab.released" $root)).ports.http -}}
{{- $upstreams = printf "\n  %s:\n    endpoints: [\"http://%s:%v\"]%s" $guest $guest $port $upstreams -}}
{{- $targets = printf "%s, {upstream: %s, weight: %d}" $targets $guest $weight -}}
{{- end -}}
{{- $routes = $routes | replace $alone $upstreams | replace (printf "to: [{upstream: %s}]" .) (printf "to: [%s]" $targets) -}}
{{- end -}}
{{- end -}}
{{ $routes }}
{{- end }}
