package main

import (
	"fmt"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/strvals"
)

func runHelm3(op operation) error {
	settings := cli.New()
	settings.SetNamespace(op.namespace)
	config := new(action.Configuration)
	if err := config.Init(settings.RESTClientGetter(), op.storage, "secret", func(string, ...any) {}); err != nil {
		return err
	}
	switch op.kind {
	case "install":
		loaded, values, err := loadHelm3(op)
		if err != nil {
			return err
		}
		install := action.NewInstall(config)
		install.ReleaseName, install.Namespace = op.name, op.namespace
		_, err = install.Run(loaded, values)
		return err
	case "upgrade":
		loaded, values, err := loadHelm3(op)
		if err != nil {
			return err
		}
		upgrade := action.NewUpgrade(config)
		upgrade.Namespace, upgrade.MaxHistory = op.namespace, 10
		_, err = upgrade.Run(op.name, loaded, values)
		return err
	case "rollback":
		rollback := action.NewRollback(config)
		rollback.Version, rollback.MaxHistory = op.revision, 10
		return rollback.Run(op.name)
	case "uninstall":
		_, err := action.NewUninstall(config).Run(op.name)
		return err
	case "map-apis":
		return mapAPIs(config, op.name)
	}
	return fmt.Errorf("there is no operation %q", op.kind)
}

func loadHelm3(op operation) (*chart.Chart, map[string]any, error) {
	loaded, err := loader.Load(op.chart)
	if err != nil {
		return nil, nil, err
	}
	values, err := strvals.Parse(op.set)
	return loaded, values, err
}

// mapAPIs supersedes the last revision and stores a copy of it as deployed, with another manifest. What mapkubeapis puts into that
// manifest is of no consequence here: a comment will do.
func mapAPIs(config *action.Configuration, name string) error {
	last, err := config.Releases.Last(name)
	if err != nil {
		return err
	}
	last.Info.Status = release.StatusSuperseded
	if err := config.Releases.Update(last); err != nil {
		return fmt.Errorf("supersede: %w", err)
	}
	last.Version++
	last.Manifest += "# mapped\n"
	last.SetStatus(release.StatusDeployed, "Kubernetes deprecated API upgrade - DO NOT rollback from this version")
	if err := config.Releases.Create(last); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
