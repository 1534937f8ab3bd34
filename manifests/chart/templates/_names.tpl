{{- /* What the chart puts beside the labels of the manifests. Not on Pods and not in selectors: a new version of the chart alone starts nothing anew. */}}
{{- define "belay.chartLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "belay.labels" -}}
app.kubernetes.io/name: belay
{{ include "belay.chartLabels" . }}
{{- end }}

{{- define "belay.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- /* "true" where a value that is true, false or auto says so, and the cluster has the kind. */}}
{{- define "belay.whether" -}}
{{- if eq (toString .value) "auto" -}}
{{- .capabilities.APIVersions.Has .kind -}}
{{- else -}}
{{- .value -}}
{{- end -}}
{{- end }}

{{- define "belay.checkNamespace" -}}
{{- if has .Release.Namespace (list "default" "kube-system") -}}
{{- fail (printf "Belay leaves the namespace that it is in unguarded, so it wants one of its own, not %s. Add: --namespace belay-system --create-namespace" .Release.Namespace) -}}
{{- end -}}
{{- end }}

{{- define "belay.certificatesSecret" -}}
{{- ternary "belay-serving" .Values.certificates.secret (eq .Values.certificates.mode "cert-manager") -}}
{{- end }}
