{{/*
TLS between the parts (values.tls): a proxy beside each program. It ends mutual TLS at the pod's address, on the ports of the
Services, and begins it on 127.0.0.1, on the same ports of the parts that the program calls. So a program sees what it sees in local
mode: itself and all others on 127.0.0.1. Who is let in follows from the edges in _edges.tpl. Without tls.mode, every template
here is empty, or is what it was without TLS.
*/}}

{{/* `own`, `cert-manager`, or empty. YAML reads an unquoted off as false, and an upgrade with --reuse-values may know no tls. */}}
{{- define "sre-lab.tlsMode" -}}
{{- $mode := toString ((.Values.tls).mode | default "off") -}}
{{- if ne $mode "off" }}{{ $mode }}{{ end -}}
{{- end }}

{{/* What is served through a proxy: part and ports. Everything else stays plain; docs/security.md says what, and why. */}}
{{- define "sre-lab.tlsServed" -}}
{{- $v := .Values -}}
{{- if include "sre-lab.tlsMode" . -}}
{{- range $name, $svc := $v.services }}
{{ $name }}: [{{ $svc.ports.admin | quote }}{{ with $svc.ports.http }}, {{ . | quote }}{{ end }}]
{{- end }}
{{- if $v.load.enabled }}
load: [{{ $v.load.port | quote }}]
{{- end }}
{{- if $v.probe.enabled }}
probe: [{{ $v.probe.port | quote }}]
{{- end }}
{{- with $v.controlRoom }}
{{- if .enabled }}
{{- /* Controllers of an Ingress speak plain HTTP to what is behind them. */}}
control-room: [{{ .ports.admin | quote }}{{ if not .ingress.host }}, {{ .ports.http | quote }}{{ end }}]
{{- end }}
{{- end }}
{{- range $part, $port := dict "postgres" "5432" "redis" "6379" "redpanda" "9092" "jaeger" "4318" }}
{{- if (index $v $part).enabled }}
{{ $part }}: [{{ $port | quote }}]
{{- end }}
{{- end }}
{{- end -}}
{{- end }}

{{/* The edges of _edges.tpl that go through a proxy. Ports are texts. */}}
{{- define "sre-lab.tlsEdges" -}}
{{- $v := .Values -}}
{{- $served := include "sre-lab.tlsServed" . | fromYaml -}}
edges:
{{- range (include "sre-lab.edges" . | fromYaml).edges }}
{{- if and (ne .from .to) (has (toString (int .port)) (get $served .to | default list)) }}
  - { from: {{ .from }}, to: {{ .to }}, port: "{{ int .port }}" }
{{- end }}
{{- end }}
{{- if and $served $v.operator.enabled (not $v.prometheus.enabled) }}
  # The operator's Prometheus, with a certificate that the PodMonitor names.
  {{- range $name, $svc := $v.services }}
  - { from: prometheus, to: {{ $name }}, port: "{{ $svc.ports.admin }}" }
  {{- end }}
  {{- if $v.load.enabled }}
  - { from: prometheus, to: load, port: "{{ $v.load.port }}" }
  {{- end }}
  {{- if $v.probe.enabled }}
  - { from: prometheus, to: probe, port: "{{ $v.probe.port }}" }
  {{- end }}
  {{- if $v.controlRoom.enabled }}
  - { from: prometheus, to: control-room, port: "{{ $v.controlRoom.ports.admin }}" }
  {{- end }}
{{- end }}
{{- end }}

{{/* Parts that have a certificate, separated by commas. */}}
{{- define "sre-lab.tlsParts" -}}
{{- $parts := keys (include "sre-lab.tlsServed" . | fromYaml) -}}
{{- range (include "sre-lab.tlsEdges" . | fromYaml).edges -}}
{{- $parts = append $parts .from -}}
{{- end -}}
{{ $parts | uniq | sortAlpha | join "," }}
{{- end }}

{{/* Parts that speak TLS themselves, and need no proxy: separated by commas. */}}
{{- define "sre-lab.tlsNative" -}}
alertmanager,helm-test,prometheus
{{- end }}

{{/* Whether a part has a certificate. Takes (list $ "alertmanager"). */}}
{{- define "sre-lab.tlsHas" -}}
{{- if include "sre-lab.tlsMode" (first .) -}}
{{- if has (last .) (include "sre-lab.tlsParts" (first .) | splitList ",") }}yes{{ end -}}
{{- end -}}
{{- end }}

{{/* The secret with the certificate of a part: tls.crt, tls.key, ca.crt. Takes (list $ "order-api"). */}}
{{- define "sre-lab.tlsSecret" -}}
{{- /* Two names, because Helm may not take over what cert-manager has made. */ -}}
{{ eq (include "sre-lab.tlsMode" (first .)) "own" | ternary (printf "tls-%s" (last .)) (printf "%s-tls" (last .)) }}
{{- end }}

{{/* The name by which others verify a part. Takes (list $ "order-api"). */}}
{{- define "sre-lab.tlsName" -}}
{{ last . }}.{{ (first .).Release.Namespace }}.svc
{{- end }}

{{/* The name of all parts, for Prometheus, which finds pods by address. */}}
{{- define "sre-lab.tlsAnyName" -}}
any.{{ .Release.Namespace }}.svc
{{- end }}

{{/* Who a part is to those whom it calls. With the namespace: one issuer may serve several labs. Takes (list $ "order-api"). */}}
{{- define "sre-lab.tlsSubject" -}}
{{ last . }}.{{ (first .).Release.Namespace }}
{{- end }}

{{/* The names in the certificate of a part, separated by commas. Takes (list $ "order-api"). */}}
{{- define "sre-lab.tlsNames" -}}
{{- $pods := list (first .) (printf "%s-pods" (last .)) -}}
{{ include "sre-lab.tlsName" . }},{{ include "sre-lab.tlsName" . }}.cluster.local,{{ include "sre-lab.tlsSubject" . }},{{ include "sre-lab.tlsName" $pods }},{{ include "sre-lab.tlsAnyName" (first .) }}
{{- end }}

{{/* Where a program finds a part: by the part's name, or at its own proxy. Takes (list $ "postgres"). */}}
{{- define "sre-lab.host" -}}
{{- if hasKey (include "sre-lab.tlsServed" (first .) | fromYaml) (last .) }}127.0.0.1{{ else }}{{ last . }}{{ end -}}
{{- end }}

{{/* Where a program listens: beside a proxy, only that may reach it. */}}
{{- define "sre-lab.bind" -}}
{{ empty (include "sre-lab.tlsMode" .) | ternary "0.0.0.0" "127.0.0.1" }}
{{- end }}

{{/* Where the kubelet asks for /livez and /readyz. It has no certificate: the proxy passes on these two paths and nothing else. */}}
{{- define "sre-lab.probePort" -}}
{{ empty (include "sre-lab.tlsMode" .) | ternary "admin" "15021" }}
{{- end }}

{{/* How Prometheus scrapes a part behind a proxy. */}}
{{- define "sre-lab.tlsScrape" -}}
{{- if include "sre-lab.tlsMode" . -}}
scheme: https
tls_config: { ca_file: /tls/ca.crt, cert_file: /tls/tls.crt, key_file: /tls/tls.key, server_name: {{ include "sre-lab.tlsAnyName" . }} }
{{- end -}}
{{- end }}

{{/* The address of the control room's webhook, and what Alertmanager has to show there. */}}
{{- define "sre-lab.hookUrl" -}}
{{- $secure := printf "https://%s" (include "sre-lab.tlsName" (list . "control-room")) -}}
{{- $host := empty (include "sre-lab.tlsHas" (list . "alertmanager")) | ternary "http://control-room" $secure -}}
{{ $host }}:{{ int .Values.controlRoom.ports.http }}/hooks/alertmanager
{{- end }}

{{- define "sre-lab.hookTls" -}}
{{- if include "sre-lab.tlsHas" (list . "alertmanager") -}}
, http_config: { tls_config: { ca_file: /tls/ca.crt, cert_file: /tls/tls.crt, key_file: /tls/tls.key } }
{{- end -}}
{{- end }}

{{/* A script of `helm test`: with TLS, curl has a certificate, and the one pod is asked for under the name of all. Takes (list $ TEXT). */}}
{{- define "sre-lab.tlsTest" -}}
{{- $script := last . -}}
{{- if include "sre-lab.tlsMode" (first .) -}}
{{- $pinned := "echo \"pod: $pod\"\n# From here on every request goes to it.\necho \"connect-to = ::$pod:\" >>\"$CURL_HOME/.curlrc\"" -}}
{{- $script = $script | replace "http://$ORDER_API_PODS:" "https://$ORDER_API_PODS:" | replace "http://$pod:" "https://$ORDER_API_PODS:" | replace "echo \"pod: $pod\"" $pinned -}}
{{- end -}}
{{ $script }}
{{- end }}
