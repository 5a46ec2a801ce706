{{/*
Names, labels, addresses: nothing else. Objects have the name of their part (`order-api`, `postgres`), without the release's
name: there is one lab per namespace, with the same names as in local mode.
*/}}

{{/* Labels of an object of a part. Takes (list $ "order-api"). */}}
{{- define "sre-lab.labels" -}}
{{- $root := index . 0 -}}
{{ include "sre-lab.selector" . }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: sre-lab
app.kubernetes.io/version: {{ $root.Values.image.tag | default $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels that select the pods of a part. They never change: a Deployment's selector cannot. */}}
{{- define "sre-lab.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end }}

{{/*
Labels by which a Service selects the pods that serve. One more than all else selects by, so that a pod whose component
is `order-api-drained` gets no requests, and keeps its Deployment and its network policies. Pods have had this label
since the first chart, so those that an upgrade has not replaced yet are selected, too.
*/}}
{{- define "sre-lab.serving" -}}
{{ include "sre-lab.selector" . }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of a part's pods. Without the chart's version: a new chart alone restarts no store. */}}
{{- define "sre-lab.podLabels" -}}
{{ include "sre-lab.selector" . }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: sre-lab
{{- end }}

{{/*
Image of one of the lab's own programs. Takes (list $ "order-api"), and perhaps a tag that comes before the service's own, which
comes before that of all.
*/}}
{{- define "sre-lab.image" -}}
{{- $image := (index . 0).Values.image -}}
{{- $own := dig (index . 1) "tag" "" (index . 0).Values.services -}}
{{- $given := gt (len .) 2 | ternary (last .) "" -}}
{{ $image.repository }}/{{ index . 1 }}:{{ coalesce $given $own $image.tag (index . 0).Chart.AppVersion }}
{{- end }}

{{/* Secret with the connection URLs of the databases. */}}
{{- define "sre-lab.databases" -}}
{{ .Values.postgres.existingSecret | default "postgres" }}
{{- end }}

{{/* Valid names in requests to a part, besides pod addresses and localhost: those of its Services, and values.allowedHosts. Takes (list $ "order-api" "order-api-pods"). */}}
{{- define "sre-lab.allowedHosts" -}}
{{- $root := first . -}}
{{- $namespace := $root.Release.Namespace -}}
{{- $names := list -}}
{{- range rest . -}}
{{- $names = concat $names (list . (printf "%s.%s" . $namespace) (printf "%s.%s.svc" . $namespace) (printf "%s.%s.svc.cluster.local" . $namespace)) -}}
{{- end -}}
{{ concat $names $root.Values.allowedHosts | join "," }}
{{- end }}

{{- define "sre-lab.redisUrl" -}}
{{ ternary (printf "redis://%s:6379" (include "sre-lab.host" (list . "redis"))) .Values.redis.url .Values.redis.enabled }}
{{- end }}

{{/* Every broker by name: a client finds the cluster even if one of them is gone. */}}
{{- define "sre-lab.brokers" -}}
{{- if and .Values.redpanda.enabled (include "sre-lab.tlsMode" .) -}}
127.0.0.1:9092
{{- else if .Values.redpanda.enabled -}}
{{- range $i := until (int .Values.redpanda.replicas) }}{{ if $i }},{{ end }}redpanda-{{ $i }}.redpanda:9092{{ end -}}
{{- else -}}
{{ .Values.redpanda.brokers }}
{{- end -}}
{{- end }}

{{/* Every Alertmanager by name: if only one is told of an alert, nobody notifies when that one is gone. */}}
{{- define "sre-lab.alertmanagers" -}}
{{- if gt (int .Values.alertmanager.replicas) 1 -}}
{{- range $i := until (int .Values.alertmanager.replicas) }}{{ if $i }}, {{ end }}alertmanager-{{ $i }}.alertmanager-peers:9093{{ end -}}
{{- else -}}
alertmanager:9093
{{- end -}}
{{- end }}

{{- define "sre-lab.otlpUrl" -}}
{{ ternary (printf "http://%s:4318" (include "sre-lab.host" (list . "jaeger"))) .Values.jaeger.otlpUrl .Values.jaeger.enabled }}
{{- end }}

{{- define "sre-lab.jaegerUrl" -}}
{{ ternary "http://jaeger:16686" .Values.jaeger.queryUrl .Values.jaeger.enabled }}
{{- end }}

{{- define "sre-lab.lokiUrl" -}}
{{ ternary "http://loki:3100" .Values.loki.url .Values.loki.enabled }}
{{- end }}

{{- define "sre-lab.prometheusUrl" -}}
{{ ternary "http://prometheus:9090" .Values.prometheus.url .Values.prometheus.enabled }}
{{- end }}
