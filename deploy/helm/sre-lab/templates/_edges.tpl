{{/*
Who may call whom, and on which port: the table that all network policies are generated from. It is derived from the values of
the services and from what is enabled. `to: outside` leaves the namespace: an external store, or the Kubernetes API.
*/}}
{{- define "sre-lab.edges" -}}
{{- $v := .Values -}}
edges:
{{- range $name, $svc := $v.services }}
  {{- range $svc.calls }}
  - { from: {{ $name }}, to: {{ . }}, port: {{ (index $v.services .).ports.http }} }
  {{- end }}
  {{- if $svc.database }}
  - { from: {{ $name }}, to: {{ ternary "postgres" "outside" $v.postgres.enabled }}, port: 5432 }
  {{- end }}
  {{- if $svc.cache }}
  - { from: {{ $name }}, to: {{ ternary "redis" "outside" $v.redis.enabled }}, port: 6379 }
  {{- end }}
  {{- if $svc.kafka }}
  - { from: {{ $name }}, to: {{ ternary "redpanda" "outside" $v.redpanda.enabled }}, port: 9092 }
  {{- end }}
  {{- if $svc.traces }}
  - { from: {{ $name }}, to: {{ ternary "jaeger" "outside" $v.jaeger.enabled }}, port: 4318 }
  {{- end }}
  {{- if $v.prometheus.enabled }}
  - { from: prometheus, to: {{ $name }}, port: {{ $svc.ports.admin }} }
  {{- end }}
  - { from: helm-test, to: {{ $name }}, port: {{ $svc.ports.admin }} }
  {{- with $svc.ports.http }}
  - { from: helm-test, to: {{ $name }}, port: {{ . }} }
  {{- end }}
{{- end }}
{{- if $v.load.enabled }}
  - { from: load, to: edge, port: {{ $v.services.edge.ports.http }} }
{{- end }}
{{- with $v.probe }}
{{- if .enabled }}
  - { from: probe, to: edge, port: {{ $v.services.edge.ports.http }} }
  {{- with .stagingUrl }}
  - { from: probe, to: outside, port: {{ regexFind ":[0-9]+" (urlParse .).host | trimPrefix ":" | default "80" }} }
  {{- end }}
{{- end }}
{{- end }}
{{- if include "sre-lab.measuresPostgres" . }}
  - { from: postgres-exporter, to: postgres, port: 5432 }
{{- end }}
{{- with $v.postgresBackup }}
{{- if .enabled }}
  - { from: postgres-backup, to: postgres, port: 5432 }
  - { from: postgres-archive, to: postgres, port: 5432 }
  {{- if $v.controlRoom.enabled }}
  - { from: postgres-backup, to: control-room, port: {{ $v.controlRoom.ports.http }} }
  {{- end }}
  {{- range include "sre-lab.backupParts" $ | splitList "," }}
  - { from: {{ . }}, to: outside, port: {{ include "sre-lab.objectStorePort" $ }} }
  {{- end }}
{{- end }}
{{- end }}
{{- if ($v.configAudit).enabled }}
  # The Kubernetes API.
  - { from: config-audit, to: outside, port: 443 }
  - { from: config-audit, to: outside, port: 6443 }
{{- end }}
{{- if include "sre-lab.measuresRedis" . }}
  - { from: redis-exporter, to: redis, port: 6379 }
{{- end }}
{{- if $v.redpanda.enabled }}
  # Between brokers: Raft, and the Kafka protocol.
  - { from: redpanda, to: redpanda, port: 33145 }
  - { from: redpanda, to: redpanda, port: 9092 }
{{- end }}
{{- if $v.prometheus.enabled }}
  # Itself as well, by its address.
  - { from: prometheus, to: prometheus, port: 9090 }
  {{- if $v.alertmanager.enabled }}
  - { from: prometheus, to: alertmanager, port: 9093 }
  {{- end }}
  {{- if $v.load.enabled }}
  - { from: prometheus, to: load, port: {{ $v.load.port }} }
  {{- end }}
  {{- if $v.probe.enabled }}
  - { from: prometheus, to: probe, port: {{ $v.probe.port }} }
  {{- end }}
  {{- if $v.redpanda.enabled }}
  - { from: prometheus, to: redpanda, port: 9644 }
  {{- end }}
  {{- if include "sre-lab.measuresPostgres" . }}
  - { from: prometheus, to: postgres-exporter, port: 9187 }
  {{- end }}
  {{- if include "sre-lab.measuresRedis" . }}
  - { from: prometheus, to: redis-exporter, port: 9121 }
  {{- end }}
  {{- range $part, $port := dict "grafana" 3000 "loki" 3100 "jaeger" 8888 "kubeStateMetrics" 8080 }}
  {{- if (index $v $part).enabled }}
  - { from: prometheus, to: {{ kebabcase $part }}, port: {{ $port }} }
  {{- end }}
  {{- end }}
  {{- if include "sre-lab.shipsLogs" . }}
  - { from: prometheus, to: alloy, port: 12345 }
  {{- end }}
  # The Kubernetes API (443 at its Service, 6443 behind it) and the kubelets.
  - { from: prometheus, to: outside, port: 443 }
  - { from: prometheus, to: outside, port: 6443 }
  {{- if $v.prometheus.kubelet }}
  - { from: prometheus, to: outside, port: 10250 }
  {{- end }}
{{- end }}
{{- with $v.controlRoom }}
{{- if .enabled }}
  {{- if $v.alertmanager.enabled }}
  - { from: alertmanager, to: control-room, port: {{ .ports.http }} }
  - { from: control-room, to: alertmanager, port: 9093 }
  {{- end }}
  {{- if $v.prometheus.enabled }}
  - { from: prometheus, to: control-room, port: {{ .ports.admin }} }
  {{- end }}
  # What it shows, and the switches of the services.
  - { from: control-room, to: {{ ternary "prometheus" "outside" $v.prometheus.enabled }}, port: 9090 }
  - { from: control-room, to: {{ ternary "loki" "outside" $v.loki.enabled }}, port: 3100 }
  - { from: control-room, to: {{ ternary "jaeger" "outside" $v.jaeger.enabled }}, port: 16686 }
  {{- range $name, $svc := $v.services }}
  - { from: control-room, to: {{ $name }}, port: {{ $svc.ports.admin }} }
  {{- end }}
  # With what people and runbooks act: sessions, keys, the load.
  - { from: control-room, to: {{ ternary "postgres" "outside" $v.postgres.enabled }}, port: 5432 }
  - { from: control-room, to: {{ ternary "redis" "outside" $v.redis.enabled }}, port: 6379 }
  {{- if $v.load.enabled }}
  - { from: control-room, to: load, port: {{ $v.load.port }} }
  {{- end }}
  {{- if .secretEnv }}
  # Slack, PagerDuty, webhooks.
  - { from: control-room, to: outside, port: 443 }
  {{- end }}
{{- end }}
{{- end }}
{{- if and $v.alertmanager.enabled $v.alertmanager.webhookUrl }}
  - { from: alertmanager, to: outside, port: {{ regexFind ":[0-9]+" (urlParse $v.alertmanager.webhookUrl).host | trimPrefix ":" | default (hasPrefix "https:" $v.alertmanager.webhookUrl | ternary "443" "80") }} }
{{- end }}
{{- with $v.alertmanager }}
{{- if and .enabled (or .slack.url .slack.existingSecret .pagerduty.routingKey .pagerduty.existingSecret) }}
  # Slack and PagerDuty.
  - { from: alertmanager, to: outside, port: 443 }
{{- end }}
{{- end }}
{{- if $v.kubeStateMetrics.enabled }}
  - { from: kube-state-metrics, to: outside, port: 443 }
  - { from: kube-state-metrics, to: outside, port: 6443 }
{{- end }}
{{- if include "sre-lab.shipsLogs" . }}
  - { from: alloy, to: outside, port: 443 }
  - { from: alloy, to: outside, port: 6443 }
  - { from: alloy, to: {{ ternary "loki" "outside" $v.loki.enabled }}, port: 3100 }
{{- end }}
{{- if and $v.loki.enabled $v.alertmanager.enabled }}
  # Alerts on log lines.
  - { from: loki, to: alertmanager, port: 9093 }
{{- end }}
{{- if $v.grafana.enabled }}
  - { from: grafana, to: {{ ternary "prometheus" "outside" $v.prometheus.enabled }}, port: 9090 }
  - { from: grafana, to: {{ ternary "loki" "outside" $v.loki.enabled }}, port: 3100 }
  - { from: grafana, to: {{ ternary "jaeger" "outside" $v.jaeger.enabled }}, port: 16686 }
  {{- if $v.alertmanager.enabled }}
  - { from: grafana, to: alertmanager, port: 9093 }
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether logs are shipped: there is a shipper, and a Loki to ship to. */}}
{{- define "sre-lab.shipsLogs" -}}
{{- if and .Values.alloy.enabled (include "sre-lab.lokiUrl" .) }}yes{{ end -}}
{{- end }}

{{/* Whether the chart's own stores are measured: each by its exporter. */}}
{{- define "sre-lab.measuresPostgres" -}}
{{- if and .Values.postgres.enabled .Values.postgresExporter.enabled }}yes{{ end -}}
{{- end }}

{{- define "sre-lab.measuresRedis" -}}
{{- if and .Values.redis.enabled .Values.redisExporter.enabled }}yes{{ end -}}
{{- end }}
