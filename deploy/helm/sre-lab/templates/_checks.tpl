{{/* Impossible combinations of settings; each message says what to set. Called once, from checks.yaml. */}}
{{- define "sre-lab.checks" -}}
{{- $v := .Values -}}
{{- if and (not $v.postgres.enabled) (not $v.postgres.existingSecret) -}}
{{- fail "postgres.enabled is false, so postgres.existingSecret must name a secret with the connection URLs `orders`, `users` and `fulfillment`." -}}
{{- end -}}
{{- if and $v.postgres.enabled $v.postgres.existingSecret -}}
{{- fail "postgres.existingSecret is for your own PostgreSQL: set postgres.enabled to false, or leave it empty." -}}
{{- end -}}
{{- with $v.postgresBackup -}}
{{- if and .enabled (not $v.postgres.enabled) -}}
{{- fail "postgresBackup is for the chart's own PostgreSQL, which is not enabled: back up your own where it runs." -}}
{{- end -}}
{{- if and .enabled (not (and .s3.endpoint .s3.bucket .s3.secret)) -}}
{{- fail "postgresBackup.enabled is true, so postgresBackup.s3 must have an endpoint, a bucket, and the name of a secret with the keys `access-key-id` and `secret-access-key`." -}}
{{- end -}}
{{- end -}}
{{- if and (not $v.redis.enabled) (not $v.redis.url) -}}
{{- fail "redis.enabled is false, so redis.url must say where Redis is, such as redis://cache.example:6379." -}}
{{- end -}}
{{- if and (not $v.redpanda.enabled) (not $v.redpanda.brokers) -}}
{{- fail "redpanda.enabled is false, so redpanda.brokers must list your own Kafka, such as kafka-0.example:9092,kafka-1.example:9092." -}}
{{- end -}}
{{- if and $v.redpanda.enabled (eq (mod (int $v.redpanda.replicas) 2) 0) -}}
{{- fail (printf "redpanda.replicas is %d: Raft needs an odd number of brokers, such as 1 or 3." (int $v.redpanda.replicas)) -}}
{{- end -}}
{{- if and $v.eventKeys.keys $v.eventKeys.existingSecret -}}
{{- fail "eventKeys.keys and eventKeys.existingSecret are both set: set only one of them." -}}
{{- end -}}
{{- if and $v.grafana.enabled (not $v.prometheus.enabled) (not $v.prometheus.url) -}}
{{- fail "grafana.enabled is true without a Prometheus: enable prometheus, or set prometheus.url to one that scrapes the lab." -}}
{{- end -}}
{{- if and $v.alertmanager.enabled (not $v.prometheus.enabled) -}}
{{- fail "alertmanager.enabled is true, but nothing would send it alerts: enable prometheus, or disable alertmanager." -}}
{{- end -}}
{{- with $v.alertmanager -}}
{{- $slack := or .slack.url .slack.existingSecret -}}
{{- $pagerduty := or .pagerduty.routingKey .pagerduty.existingSecret -}}
{{- if and .slack.url .slack.existingSecret -}}
{{- fail "alertmanager.slack.url and alertmanager.slack.existingSecret are both set: set only one of them." -}}
{{- end -}}
{{- if and .pagerduty.routingKey .pagerduty.existingSecret -}}
{{- fail "alertmanager.pagerduty.routingKey and alertmanager.pagerduty.existingSecret are both set: set only one of them." -}}
{{- end -}}
{{- if and (not .enabled) (or $slack $pagerduty .webhookUrl) -}}
{{- fail "alertmanager.enabled is false, so nobody would call the receivers slack, pagerduty or webhookUrl: enable it, or leave them empty." -}}
{{- end -}}
{{- end -}}
{{- if and $v.prometheus.annotatedPods.enabled (not $v.prometheus.enabled) -}}
{{- fail "prometheus.annotatedPods is for the chart's own Prometheus, which is not enabled." -}}
{{- end -}}
{{- if and $v.prometheus.annotatedPods.namespaces (not $v.prometheus.annotatedPods.enabled) -}}
{{- fail "prometheus.annotatedPods.namespaces is set, but prometheus.annotatedPods.enabled is false." -}}
{{- end -}}
{{- $interval := include "sre-lab.interval" . -}}
{{- if eq (include "sre-lab.clock" .) "production" -}}
{{- if not (regexMatch "^([1-9][0-9]{0,2}|[1-4][0-9]{3}|5000)ms$|^[1-5]s$" $interval) -}}
{{- fail (printf "prometheus.interval is %s; it must be at most 5s. The rules in dashboards/rules look back 10s, on either clock, and a rate needs two samples in it." $interval) -}}
{{- end -}}
{{- if and $v.prometheus.enabled (not $v.prometheus.storage.size) -}}
{{- fail "clock is production, which counts over 30 days, but the metrics would be lost with Prometheus's pod: set prometheus.storage.size, such as 20Gi." -}}
{{- end -}}
{{- else if not (regexMatch "^([1-9][0-9]{0,2}|1[0-9]{3}|2000)ms$|^[12]s$" $interval) -}}
{{- fail (printf "prometheus.interval is %s; it must be at most 2s. The lab's shortest SLO window is 5s, and a rate needs two samples in it." $interval) -}}
{{- end -}}
{{- if $v.keda.enabled -}}
{{- if (index $v.services "order-worker").autoscaling.enabled -}}
{{- fail "keda.enabled and services.order-worker.autoscaling.enabled are both true: two autoscalers would fight. Disable the one on CPU." -}}
{{- end -}}
{{- if and (not $v.prometheus.enabled) (not $v.prometheus.url) -}}
{{- fail "keda.enabled is true, but no Prometheus knows the lag: enable prometheus, or set prometheus.url to one that scrapes the lab." -}}
{{- end -}}
{{- end -}}
{{- include "sre-lab.tlsChecks" . -}}
{{- with $v.release -}}
{{- if and .service (not .tag) -}}
{{- fail (printf "release.service is %s, so release.tag must name the version that is released." .service) -}}
{{- end -}}
{{- if and .service (include "sre-lab.tlsMode" $) -}}
{{- fail (printf "release.service is %s, but a canary has no certificates: set tls.mode to off, or change the version without a canary." .service) -}}
{{- end -}}
{{- if and (not .service) (gt (int .weight) 0) -}}
{{- fail (printf "release.weight is %d, but release.service names nobody who would get these requests." (int .weight)) -}}
{{- end -}}
{{- end -}}
{{- /* For people, and for the exporter. */ -}}
{{- $connections := 8 -}}
{{- range $name, $svc := $v.services -}}
{{- if and $svc.faults (not $v.faultSwitch.enabled) -}}
{{- fail (printf "services.%s.faults is set, but faultSwitch.enabled is false: there is no switch to set them with." $name) -}}
{{- end -}}
{{- if and (include "sre-lab.isScaled" (list $ $name)) (gt (int $svc.autoscaling.minReplicas) (int $svc.autoscaling.maxReplicas)) -}}
{{- fail (printf "services.%s.autoscaling: minReplicas (%d) is above maxReplicas (%d)." $name (int $svc.autoscaling.minReplicas) (int $svc.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if and $svc.database (eq $name (include "sre-lab.released" $)) -}}
{{- $connections = add $connections (mul 2 (add1 (int ($v.release.replicas | default 1))) (add1 $svc.poolSize)) -}}
{{- end -}}
{{- range $svc.calls -}}
{{- if not (dig . "ports" "http" "" $v.services) -}}
{{- fail (printf "services.%s.calls names %s, which is not a service with an HTTP port." $name .) -}}
{{- end -}}
{{- end -}}
{{- $most := ternary $svc.autoscaling.maxReplicas $svc.replicas (eq (include "sre-lab.isScaled" (list $ $name)) "yes") -}}
{{- /* One more pod during a rolling upgrade, one more connection per pod for its readiness probe. */ -}}
{{- if $svc.database }}{{ $connections = add $connections (mul (add1 $most) (add1 $svc.poolSize)) }}{{ end -}}
{{- end -}}
{{- if and $v.postgres.enabled (gt (int $connections) (int $v.postgres.maxConnections)) -}}
{{- fail (printf "The services may open %d connections, but postgres.maxConnections is %d: raise it, or lower replicas or poolSize." (int $connections) (int $v.postgres.maxConnections)) -}}
{{- end -}}
{{- end }}

{{/* Of values.tls. */}}
{{- define "sre-lab.tlsChecks" -}}
{{- $v := .Values -}}
{{- $mode := include "sre-lab.tlsMode" . -}}
{{- with $v.tls -}}
{{- if and .issuer.name (ne $mode "cert-manager") -}}
{{- fail "tls.issuer.name is set, but only cert-manager would ask that issuer: set tls.mode to cert-manager, or leave the name empty." -}}
{{- end -}}
{{- end -}}
{{- if $mode -}}
{{- if semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version -}}
{{- fail (printf "tls.mode is %s, which needs Kubernetes 1.29: before that, a container beside a program does not start before it, and keeps a Job from ending." $mode) -}}
{{- end -}}
{{- if and $v.redpanda.enabled (gt (int $v.redpanda.replicas) 1) -}}
{{- fail (printf "tls.mode is %s, but redpanda.replicas is %d: brokers copy orders to each other past the proxies. Set redpanda.replicas to 1, or use a Kafka or a network of yours that encrypts." $mode (int $v.redpanda.replicas)) -}}
{{- end -}}
{{- if gt (len .Release.Namespace) 46 -}}
{{- fail (printf "tls.mode is %s, but the namespace %s has more than 46 characters: the subject of a certificate has at most 64, with the name of the part." $mode .Release.Namespace) -}}
{{- end -}}
{{- $taken := dict "15021" "the proxies" -}}
{{- $served := include "sre-lab.tlsServed" . | fromYaml -}}
{{- range $part := keys $served | sortAlpha -}}
{{- range $port := get $served $part -}}
{{- if hasKey $taken $port -}}
{{- fail (printf "tls.mode is %s, but %s and %s both have the port %s: with TLS every part is at its port of 127.0.0.1, so each needs its own." $mode (get $taken $port) $part $port) -}}
{{- end -}}
{{- $_ := set $taken $port $part -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
