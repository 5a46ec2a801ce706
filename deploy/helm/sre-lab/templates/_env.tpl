{{/* Environment of a service: its values as the variables of docs/configuration.md. Takes (list $ "order-api" $values). */}}
{{- define "sre-lab.env" -}}
{{- $root := index . 0 -}}
{{- $svc := index . 2 -}}
- { name: ADMIN_ADDR, value: "0.0.0.0:{{ $svc.ports.admin }}" }
{{- with $svc.ports.http }}
- { name: PUBLIC_ADDR, value: "0.0.0.0:{{ . }}" }
{{- end }}
- { name: ALLOWED_HOSTS, value: {{ include "sre-lab.allowedHosts" (list $root (index . 1) (printf "%s-pods" (index . 1))) | quote }} }
{{- range $svc.calls }}
- { name: {{ . | upper | replace "-" "_" }}_URL, value: "http://{{ . }}:{{ (index $root.Values.services .).ports.http }}" }
{{- end }}
{{- with $svc.database }}
- { name: DATABASE_URL, valueFrom: { secretKeyRef: { name: {{ include "sre-lab.databases" $root }}, key: {{ . }} } } }
- { name: DB_POOL_SIZE, value: {{ $svc.poolSize | quote }} }
{{- end }}
{{- if $svc.cache }}
- { name: REDIS_URL, value: {{ include "sre-lab.redisUrl" $root | quote }} }
{{- end }}
{{- if $svc.kafka }}
- { name: KAFKA_BROKERS, value: {{ include "sre-lab.brokers" $root | quote }} }
{{- with $root.Values.eventKeys }}
{{- if .enabled }}
{{- /* $(…) is replaced by the kubelet, from a variable above it. */}}
{{- $name := ternary "EVENT_KEYS_SIGNED" "EVENT_KEYS" .acceptUnsigned }}
- { name: {{ $name }}, valueFrom: { secretKeyRef: { name: {{ .existingSecret | default "event-keys" }}, key: keys } } }
{{- if .acceptUnsigned }}
- { name: EVENT_KEYS, value: "$(EVENT_KEYS_SIGNED),unsigned" }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $svc.traces (include "sre-lab.otlpUrl" $root) }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ include "sre-lab.otlpUrl" $root | quote }} }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ $root.Values.traceRatio | quote }} }
{{- end }}
- { name: DATA_DIR, value: /data }
- { name: DRAIN_DELAY, value: {{ $root.Values.drain.delay }}s }
- { name: DRAIN_TIMEOUT, value: {{ $root.Values.drain.timeout }}s }
- { name: FAULTS_ENABLED, value: {{ $root.Values.faultSwitch.enabled | quote }} }
- { name: FAULTS_REVEAL, value: {{ $root.Values.faultSwitch.reveal | quote }} }
{{- with $root.Values.faultSwitch.tokenSecret }}
- { name: FAULTS_TOKEN, valueFrom: { secretKeyRef: { name: {{ . }}, key: token } } }
{{- end }}
{{- with include "sre-lab.faultsAtStart" $svc.faults }}
- { name: FAULTS_AT_START, value: {{ . | quote }} }
{{- end }}
{{- with include "sre-lab.protectionsOff" $svc.protections }}
- { name: PROTECTIONS_OFF, value: {{ . | quote }} }
{{- end }}
{{- range $name, $value := $svc.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/*
Alertmanager's routes of local mode, with the receivers of the chart: the lab's pager, and your own. Addresses and keys of those
are read from files of a Secret.
*/}}
{{- define "sre-lab.alertmanagerConfig" -}}
{{- $integrations := dict "page" (list) "ticket" (list) -}}
{{- range $severity := list "page" "ticket" -}}
{{- $lines := list -}}
{{- with $.Values.alertmanager -}}
{{- if or $.Values.pager.enabled .webhookUrl }}{{ $lines = append $lines "    webhook_configs:" }}{{ end -}}
{{- if $.Values.pager.enabled }}{{ $lines = append $lines (printf "      - { url: %s, send_resolved: true }" (quote (printf "http://lab-pager:%d/webhook" (int $.Values.pager.port)))) }}{{ end -}}
{{- if .webhookUrl }}{{ $lines = append $lines "      - { url_file: /etc/alertmanager/secrets/webhook-url, send_resolved: true }" }}{{ end -}}
{{- if and (eq $severity "page") (or .pagerduty.routingKey .pagerduty.existingSecret) -}}
{{- $lines = concat $lines (list
  "    pagerduty_configs:"
  "      - routing_key_file: /etc/alertmanager/secrets/pagerduty-key"
  "        severity: critical"
  "        description: '{{ .CommonAnnotations.summary }}'"
  "        details:"
  "          runbook: '{{ .CommonAnnotations.runbook_url }}'"
  "          dashboard: '{{ .CommonAnnotations.dashboard_url }}'") -}}
{{- end -}}
{{- if or .slack.url .slack.existingSecret -}}
{{- $lines = concat $lines (list
  "    slack_configs:"
  (printf "      - { api_url_file: /etc/alertmanager/secrets/slack-url, channel: '%s', send_resolved: true }" (eq $severity "page" | ternary .slack.pages .slack.tickets))) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $integrations $severity (join "\n" $lines) -}}
{{- end -}}
{{- $page := printf "  - name: page\n%s" $integrations.page -}}
{{- /* The window of the fastest page is another one on each clock: dashboards/alertmanager. */ -}}
{{- $fastest := eq (include "sre-lab.clock" .) "production" | ternary "\"1h\"" "\"1m\"" -}}
{{- .Files.Get "files/alertmanager.yml" | replace "  - name: page\n{{integrations}}" $page | replace "{{integrations}}" $integrations.ticket | replace "\"1m\"" $fastest -}}
{{- end }}

{{/* { http-error: { rate: 0.2, ttl: 5m } }  ->  http-error?rate=0.2&ttl=5m */}}
{{- define "sre-lab.faultsAtStart" -}}
{{- $plans := list -}}
{{- range $name, $parameters := . -}}
{{- $pairs := list -}}
{{- range $key, $value := $parameters -}}
{{- $pairs = append $pairs (printf "%s=%v" $key $value) -}}
{{- end -}}
{{- $plans = append $plans (empty $pairs | ternary $name (printf "%s?%s" $name (join "&" $pairs))) -}}
{{- end -}}
{{ join " " $plans }}
{{- end }}

{{/* { circuit-breaker: false }  ->  circuit-breaker */}}
{{- define "sre-lab.protectionsOff" -}}
{{- $off := list -}}
{{- range $name, $on := . -}}
{{- if not $on -}}{{- $off = append $off $name -}}{{- end -}}
{{- end -}}
{{ join "," $off }}
{{- end }}
