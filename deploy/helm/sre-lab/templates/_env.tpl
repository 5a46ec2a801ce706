{{/* How long an installation may take, as deploy/deploy allows it: until then, what is not up yet is starting and no outage. */}}
{{- define "sre-lab.startTime" -}}10m{{- end }}

{{/* Environment of a service: its values as the variables of docs/configuration.md. Takes (list $ "order-api" $values). */}}
{{- define "sre-lab.env" -}}
{{- $root := index . 0 -}}
{{- $svc := index . 2 -}}
- { name: ADMIN_ADDR, value: "{{ include "sre-lab.bind" $root }}:{{ $svc.ports.admin }}" }
{{- with $svc.ports.http }}
- { name: PUBLIC_ADDR, value: "{{ include "sre-lab.bind" $root }}:{{ . }}" }
{{- end }}
{{- $name := index . 1 }}
{{- /* The edge passes on the name for which it was asked. */}}
{{- $asked := has $name $root.Values.services.edge.calls | ternary (list "edge") (list) }}
- { name: ALLOWED_HOSTS, value: {{ include "sre-lab.allowedHosts" (concat (list $root $name (printf "%s-pods" $name)) $asked) | quote }} }
{{- if eq $name "edge" }}
- { name: EDGE_ROUTES, value: /etc/edge/routes.yaml }
{{- with $root.Values.desired }}
{{- if include "sre-lab.wafRules" $root }}
- { name: WAF_RULES, value: /etc/edge-waf }
{{- end }}
{{- if eq (toString .firewall) "false" }}
- { name: WAF_ENABLED, value: "false" }
{{- end }}
{{- end }}
{{- if not (hasKey ($svc.env | default dict) "STARTUP_GRACE") }}
- { name: STARTUP_GRACE, value: {{ include "sre-lab.startTime" $root }} }
{{- end }}
{{- else }}
{{- range $svc.calls }}
- { name: {{ . | upper | replace "-" "_" }}_URL, value: "http://{{ include "sre-lab.host" (list $root .) }}:{{ (index $root.Values.services .).ports.http }}" }
{{- end }}
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
{{- /* $(…) is expanded by the kubelet, from a variable above it. */}}
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
{{- if and (include "sre-lab.tlsMode" $root) (not (hasKey ($svc.env | default dict) "MAX_CONNECTIONS_PER_CLIENT")) }}
{{- /* Every caller has the address of the proxy: one client may have as many as the port. */}}
- { name: MAX_CONNECTIONS_PER_CLIENT, value: "1024" }
{{- end }}
{{- range $name, $value := $svc.env }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{/*
Alertmanager's routes of local mode, with the receivers of the chart: the control room, and your own. Addresses and keys of those
are read from files of a Secret.
*/}}
{{- define "sre-lab.alertmanagerConfig" -}}
{{- $integrations := dict "page" (list) "ticket" (list) -}}
{{- range $severity := list "page" "ticket" -}}
{{- $lines := list -}}
{{- with $.Values.alertmanager -}}
{{- if or $.Values.controlRoom.enabled .webhookUrl }}{{ $lines = append $lines "    webhook_configs:" }}{{ end -}}
{{- if $.Values.controlRoom.enabled }}{{ $lines = append $lines (printf "      - { url: %s, send_resolved: true%s }" (quote (include "sre-lab.hookUrl" $)) (include "sre-lab.hookTls" $)) }}{{ end -}}
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
{{- /* The heartbeat is for the lab itself. */ -}}
{{- $heartbeat := $.Values.controlRoom.enabled | ternary (printf "    webhook_configs:\n      - { url: %s, send_resolved: false%s }" (quote (include "sre-lab.hookUrl" $)) (include "sre-lab.hookTls" $)) "" -}}
{{- /* The window of the fastest page is another one on each clock: dashboards/alertmanager. */ -}}
{{- $fastest := eq (include "sre-lab.clock" .) "production" | ternary "\"1h\"" "\"1m\"" -}}
{{- .Files.Get "files/alertmanager.yml" | replace "  - name: page\n{{integrations}}" $page | replace "{{integrations}}" $integrations.ticket | replace "{{heartbeat}}" $heartbeat | replace "\"1m\"" $fastest -}}
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

{{/* Environment of the control room: where everything of this release is. */}}
{{- define "sre-lab.controlRoomEnv" -}}
{{- $v := .Values -}}
{{- $secret := $v.controlRoom.tokenSecret | default "control-room" -}}
- { name: PUBLIC_ADDR, value: "{{ empty $v.controlRoom.ingress.host | ternary (include "sre-lab.bind" .) "0.0.0.0" }}:{{ $v.controlRoom.ports.http }}" }
- { name: ADMIN_ADDR, value: "{{ include "sre-lab.bind" . }}:{{ $v.controlRoom.ports.admin }}" }
- { name: PUBLIC_URL, value: {{ $v.controlRoom.publicUrl | quote }} }
- { name: ALLOWED_HOSTS, value: {{ include "sre-lab.allowedHosts" (list . "control-room") | list (urlParse $v.controlRoom.publicUrl).hostname $v.controlRoom.ingress.host | compact | uniq | join "," | quote }} }
- { name: ROOM_FILE, value: /data/room.db }
- { name: POSTMORTEMS_DIR, value: /data/postmortems }
- { name: ONCALL_FILE, value: /etc/control-room/oncall.yaml }
- { name: CLOCK, value: {{ include "sre-lab.clock" . }} }
{{- with include "sre-lab.prometheusUrl" . }}
- { name: PROMETHEUS_URL, value: {{ . | quote }} }
{{- end }}
- { name: ALERTMANAGER_URL, value: "http://alertmanager:9093" }
- { name: HEARTBEAT_GRACE, value: {{ include "sre-lab.startTime" . }} }
{{- /* A pod has no desktop and no terminal. */}}
- { name: LOCAL_CHANNELS, value: "off" }
{{- with include "sre-lab.jaegerUrl" . }}
- { name: TRACES_URL, value: {{ . | quote }} }
{{- end }}
{{- with include "sre-lab.lokiUrl" . }}
- { name: LOKI_URL, value: {{ . | quote }} }
{{- end }}
{{- if $v.grafana.enabled }}
- { name: GRAFANA_URL, value: "http://localhost:3000" }
{{- end }}
- { name: INSTANCES, value: {{ include "sre-lab.instances" . | quote }} }
- { name: CALLS, value: {{ include "sre-lab.calls" . | quote }} }
{{- /* With what people and runbooks act. $(…) is expanded by the kubelet, from the variables above it. */}}
{{- range $database := list "fulfillment" "orders" "users" }}
- { name: {{ $database | upper }}_DATABASE_URL, valueFrom: { secretKeyRef: { name: {{ include "sre-lab.databases" $ }}, key: {{ $database }} } } }
{{- end }}
- { name: DATABASES, value: "fulfillment=$(FULFILLMENT_DATABASE_URL),orders=$(ORDERS_DATABASE_URL),users=$(USERS_DATABASE_URL)" }
- { name: REDIS_URL, value: {{ include "sre-lab.redisUrl" . | quote }} }
{{- if $v.load.enabled }}
- { name: LOAD_ADMIN_URL, value: "http://{{ include "sre-lab.host" (list . "load") }}:{{ $v.load.port }}" }
{{- end }}
- { name: ACCESS_TOKEN, valueFrom: { secretKeyRef: { name: {{ $secret }}, key: access-token } } }
- { name: INSTRUCTOR_TOKEN, valueFrom: { secretKeyRef: { name: {{ $secret }}, key: instructor-token } } }
{{- with $v.faultSwitch.tokenSecret }}
- { name: FAULTS_TOKEN, valueFrom: { secretKeyRef: { name: {{ . }}, key: token } } }
{{- end }}
{{- end }}

{{/* The admin port of each service. A Service has one name for all of its pods: the control room reaches one of them at a time. */}}
{{- define "sre-lab.instances" -}}
{{- $instances := list -}}
{{- range $name, $svc := .Values.services -}}
{{- $instances = append $instances (printf "%s=http://%s:%d" $name (include "sre-lab.host" (list $ $name)) (int $svc.ports.admin)) -}}
{{- end -}}
{{ join "," $instances }}
{{- end }}

{{/* Who calls whom: what is configured, the stores, and the topics. */}}
{{- define "sre-lab.calls" -}}
{{- $calls := list "load>edge" "order-api>order-worker" -}}
{{- if .Values.probe.enabled }}{{ $calls = append $calls "probe>edge" }}{{ end -}}
{{- range $name, $svc := .Values.services -}}
{{- range $svc.calls }}{{ $calls = append $calls (printf "%s>%s" $name .) }}{{ end -}}
{{- if $svc.cache }}{{ $calls = append $calls (printf "%s>redis" $name) }}{{ end -}}
{{- if $svc.database }}{{ $calls = append $calls (printf "%s>postgres" $name) }}{{ end -}}
{{- if $svc.kafka }}{{ $calls = append $calls (printf "%s>redpanda" $name) }}{{ end -}}
{{- end -}}
{{ join "," $calls }}
{{- end }}
