package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"

	driver3 "helm.sh/helm/v3/pkg/storage/driver"
	release4 "helm.sh/helm/v4/pkg/release/v1"
	driver4 "helm.sh/helm/v4/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// What Helm reads out of a record. Undefined where it cannot read the record.
type readPayload struct {
	Name         string `json:"name"`
	Namespace    string `json:"namespace"`
	Revision     int    `json:"revision"`
	Status       string `json:"status"`
	ChartName    string `json:"chartName"`
	ChartVersion string `json:"chartVersion"`
	Manifest     string `json:"manifest"`
}

type payloadAnswer struct {
	Helm3 *readPayload `json:"helm3"`
	Helm4 *readPayload `json:"helm4"`
}

// A cluster that holds one ConfigMap, whatever it is asked for.
type oneConfigMap struct {
	typedcorev1.ConfigMapInterface
	payload string
}

func (one oneConfigMap) Get(_ context.Context, name string, _ metav1.GetOptions) (*corev1.ConfigMap, error) {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Data:       map[string]string{"release": one.payload},
	}, nil
}

func readByHelm3(payload string) *readPayload {
	storage := driver3.NewConfigMaps(oneConfigMap{payload: payload})
	storage.Log = func(string, ...any) {}
	found, err := storage.Get("sh.helm.release.v1.web.v1")
	if err != nil {
		return nil
	}
	read := readPayload{Name: found.Name, Namespace: found.Namespace, Revision: found.Version, Manifest: found.Manifest}
	if found.Info != nil {
		read.Status = found.Info.Status.String()
	}
	if found.Chart != nil && found.Chart.Metadata != nil {
		read.ChartName, read.ChartVersion = found.Chart.Metadata.Name, found.Chart.Metadata.Version
	}
	return &read
}

func readByHelm4(payload string) (*readPayload, error) {
	storage := driver4.NewConfigMaps(oneConfigMap{payload: payload})
	storage.SetLogger(slog.DiscardHandler)
	got, err := storage.Get("sh.helm.release.v1.web.v1")
	if err != nil {
		return nil, nil
	}
	found, ok := got.(*release4.Release)
	if !ok {
		return nil, errors.New("Helm 4 has read a release of another type")
	}
	read := readPayload{Name: found.Name, Namespace: found.Namespace, Revision: found.Version, Manifest: found.Manifest}
	if found.Info != nil {
		read.Status = found.Info.Status.String()
	}
	if found.Chart != nil && found.Chart.Metadata != nil {
		read.ChartName, read.ChartVersion = found.Chart.Metadata.Name, found.Chart.Metadata.Version
	}
	return &read, nil
}

// Answers what both Helms read out of payloads, as a ConfigMap holds them.
func answerPayloads(in io.Reader, out io.Writer) error {
	var payloads []string
	if err := json.NewDecoder(in).Decode(&payloads); err != nil {
		return err
	}
	answers := []payloadAnswer{}
	for _, payload := range payloads {
		read4, err := readByHelm4(payload)
		if err != nil {
			return err
		}
		answers = append(answers, payloadAnswer{Helm3: readByHelm3(payload), Helm4: read4})
	}
	return json.NewEncoder(out).Encode(answers)
}
