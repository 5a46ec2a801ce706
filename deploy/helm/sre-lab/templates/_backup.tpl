{{/* What the parts of postgresBackup share. An upgrade with --reuse-values may know no newer keys of it. */}}

{{/* The object store, for files/backup/s3.sh. */}}
{{- define "sre-lab.objectStoreEnv" -}}
{{- with .Values.postgresBackup.s3 -}}
- { name: S3_ENDPOINT, value: {{ .endpoint | trimSuffix "/" | quote }} }
- { name: S3_BUCKET, value: {{ .bucket | quote }} }
- { name: S3_PREFIX, value: {{ .prefix | quote }} }
- { name: AWS_REGION, value: {{ .region | quote }} }
- { name: AWS_ACCESS_KEY_ID, valueFrom: { secretKeyRef: { name: {{ .secret }}, key: access-key-id } } }
- { name: AWS_SECRET_ACCESS_KEY, valueFrom: { secretKeyRef: { name: {{ .secret }}, key: secret-access-key } } }
{{- end -}}
{{- end }}

{{/* Its port, for the network policies. */}}
{{- define "sre-lab.objectStorePort" -}}
{{- $endpoint := .Values.postgresBackup.s3.endpoint -}}
{{ regexFind ":[0-9]+" (urlParse $endpoint).host | trimPrefix ":" | default (hasPrefix "https:" $endpoint | ternary "443" "80") }}
{{- end }}

{{/* Where PostgreSQL is, for its programs, as the role of backups. */}}
{{- define "sre-lab.backupRoleEnv" -}}
- { name: PGHOST, value: {{ include "sre-lab.host" (list . "postgres") }} }
- { name: PGUSER, value: backup }
- { name: PGPASSWORD, valueFrom: { secretKeyRef: { name: postgres-backup, key: password } } }
{{- end }}

{{/* The step that makes the role, or gives it its password again. */}}
{{- define "sre-lab.backupRole" -}}
- name: role
  image: {{ .Values.postgres.image }}
  imagePullPolicy: IfNotPresent
  securityContext: {{- include "sre-lab.containerSecurity" . | nindent 4 }}
  command: [psql, -qX, -v, ON_ERROR_STOP=1, -h, {{ include "sre-lab.host" (list . "postgres") }}, -U, lab, -d, postgres, -f, /scripts/role.sql]
  env:
    - { name: PGPASSWORD, valueFrom: { secretKeyRef: { name: postgres, key: password } } }
    - { name: BACKUP_PASSWORD, valueFrom: { secretKeyRef: { name: postgres-backup, key: password } } }
  resources: {{- toYaml .Values.postgresBackup.resources | nindent 4 }}
  volumeMounts:
    - { name: scripts, mountPath: /scripts, readOnly: true }
{{- end }}

{{/* Where the backup finds the control room; empty without one. Behind an Ingress its pages are plain. */}}
{{- define "sre-lab.roomUrl" -}}
{{- with .Values.controlRoom -}}
{{- if .enabled -}}
http://{{ empty .ingress.host | ternary (include "sre-lab.host" (list $ "control-room")) "control-room" }}:{{ .ports.http }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Parts of postgresBackup that are there, separated by commas. What has no volume cannot be restored. */}}
{{- define "sre-lab.backupParts" -}}
{{- $v := .Values -}}
{{- if $v.postgresBackup.enabled -}}
{{- $parts := list "postgres-archive" "postgres-backup" -}}
{{- if $v.postgres.storage.size }}{{ $parts = append $parts "postgres-restore" }}{{ end -}}
{{- if and $v.controlRoom.enabled $v.controlRoom.storage.size }}{{ $parts = append $parts "control-room-restore" }}{{ end -}}
{{ join "," $parts }}
{{- end -}}
{{- end }}
