{{/*
Whether somebody else decides how many pods of a service there are: its autoscaler on CPU, or KEDA. Takes (list $ "order-worker").
*/}}
{{- define "sre-lab.isScaled" -}}
{{- $root := first . -}}
{{- $name := last . -}}
{{- if or (index $root.Values.services $name).autoscaling.enabled (and $root.Values.keda.enabled (eq $name "order-worker")) }}yes{{ end -}}
{{- end }}
