{{/* The proxy of values.tls: its configuration, its container and its volumes. Each takes (list $ "order-api"). */}}

{{/* POD_IP is replaced with the pod's address when the proxy starts: files/tls-proxy.sh. */}}
{{- define "sre-lab.tlsConfig" -}}
{{- $root := first . -}}
{{- $part := last . -}}
{{- $edges := (include "sre-lab.tlsEdges" $root | fromYaml).edges | default list -}}
{{- $served := get (include "sre-lab.tlsServed" $root | fromYaml) $part | default list -}}
# In some packages of nginx, `stream` is a module that has to be loaded; in the official image it is built in.
include /etc/nginx/modules-enabled/*.conf;
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid /tmp/nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }

stream {
    ssl_protocols TLSv1.3;
    ssl_certificate /tls/tls.crt;
    ssl_certificate_key /tls/tls.key;
    ssl_client_certificate /tls/ca.crt;
    ssl_verify_client on;
    ssl_verify_depth 3;
    # A resumed session would not be verified by the certificates of now.
    ssl_session_cache off;
    ssl_session_tickets off;
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_certificate /tls/tls.crt;
    proxy_ssl_certificate_key /tls/tls.key;
    proxy_ssl_trusted_certificate /tls/ca.crt;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 3;
    proxy_ssl_session_reuse off;
    proxy_connect_timeout 5s;
    # Programs close connections that they do not need: pools and brokers keep idle ones for long.
    proxy_timeout 24h;
    proxy_socket_keepalive on;
    map_hash_bucket_size 256;
{{- range $port := $served }}

    # Who may come in, by certificate: those who have an edge to this port. Nobody else has an upstream.
    map $ssl_client_s_dn $to_{{ $port }} {
        default "";
        {{- $callers := list }}
        {{- range $edges }}
        {{- if and (eq .to $part) (eq .port $port) }}{{ $callers = append $callers .from }}{{ end }}
        {{- end }}
        {{- range $callers | uniq | sortAlpha }}
        "CN={{ include "sre-lab.tlsSubject" (list $root .) }}" 127.0.0.1:{{ $port }};
        {{- end }}
    }
    server {
        listen POD_IP:{{ $port }} ssl so_keepalive=on;
        proxy_pass $to_{{ $port }};
    }
{{- end }}
{{- $calls := dict }}
{{- range $edges }}
{{- if eq .from $part }}{{ $_ := set $calls .port .to }}{{ end }}
{{- end }}
{{- range $port := keys $calls | sortAlpha }}
{{- $to := get $calls $port }}
{{- $name := include "sre-lab.tlsName" (list $root $to) }}
{{- /* The Service of the broker has no address of its own, and the pod's changes. */}}
{{- $address := eq $to "redpanda" | ternary (include "sre-lab.tlsName" (list $root "redpanda-kafka")) $name }}

    server {
        listen 127.0.0.1:{{ $port }} so_keepalive=on;
        proxy_ssl on;
        proxy_ssl_name {{ $name }};
        proxy_pass {{ $address }}:{{ $port }};
    }
{{- end }}
}

http {
    access_log off;
    client_body_temp_path /tmp/body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    server {
        # Plain, for the kubelet: whether the proxy runs, and what the program says of itself.
        listen POD_IP:15021;
        location = /proxy { return 204; }
        {{- with include "sre-lab.tlsAdmin" . }}
        location = /livez { proxy_pass http://127.0.0.1:{{ . }}; }
        location = /readyz { proxy_pass http://127.0.0.1:{{ . }}; }
        {{- end }}
        location / { return 404; }
    }
}
{{- end }}

{{/* The admin port of a part that is a program of the lab. */}}
{{- define "sre-lab.tlsAdmin" -}}
{{- $v := (first .).Values -}}
{{- $ports := dict "load" $v.load.port "probe" $v.probe.port "control-room" $v.controlRoom.ports.admin -}}
{{- range $name, $svc := $v.services }}{{ $_ := set $ports $name $svc.ports.admin }}{{ end -}}
{{ get $ports (last .) }}
{{- end }}

{{/* An init container that keeps running: it starts before the program, and ends after it. */}}
{{- define "sre-lab.tlsProxy" -}}
{{- $root := first . -}}
{{- if include "sre-lab.tlsMode" $root -}}
# Speaks TLS with the other parts: templates/_tls.tpl.
- name: tls
  image: {{ $root.Values.tls.image }}
  imagePullPolicy: IfNotPresent
  restartPolicy: Always
  securityContext: {{- include "sre-lab.containerSecurity" $root | nindent 4 }}
  command: [sh, /etc/tls-proxy/start.sh]
  env:
    - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
  startupProbe:
    httpGet: { path: /proxy, port: 15021 }
    periodSeconds: 1
    failureThreshold: 120
  livenessProbe:
    httpGet: { path: /proxy, port: 15021 }
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 6
  resources: {{- toYaml $root.Values.tls.resources | nindent 4 }}
  volumeMounts:
    - { name: tls, mountPath: /tls, readOnly: true }
    - { name: tls-proxy, mountPath: /etc/tls-proxy, readOnly: true }
    - { name: tls-tmp, mountPath: /tmp }
{{- end -}}
{{- end }}

{{- define "sre-lab.tlsVolumes" -}}
{{- if include "sre-lab.tlsMode" (first .) -}}
- name: tls
  secret: { secretName: {{ include "sre-lab.tlsSecret" . }}, defaultMode: 0440 }
- name: tls-proxy
  configMap:
    name: tls-proxy
    items: [{ key: start.sh, path: start.sh }, { key: {{ last . }}.conf, path: nginx.conf }]
- name: tls-tmp
  emptyDir: {}
{{- end -}}
{{- end }}

{{/* A new configuration replaces the pod. A new certificate does not: the proxy follows it. */}}
{{- define "sre-lab.tlsChecksum" -}}
{{- if include "sre-lab.tlsMode" (first .) -}}
checksum/tls: {{ printf "%s%s" ((first .).Files.Get "files/tls-proxy.sh") (include "sre-lab.tlsConfig" .) | sha256sum | trunc 16 }}
{{- end -}}
{{- end }}
