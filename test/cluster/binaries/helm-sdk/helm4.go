package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/cli"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/release/common"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/strvals"
)

func runHelm4(op operation) error {
	settings := cli.New()
	settings.SetNamespace(op.namespace)
	config := action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler))
	if err := config.Init(settings.RESTClientGetter(), op.storage, "secret"); err != nil {
		return err
	}
	switch op.kind {
	case "install":
		loaded, values, err := loadHelm4(op)
		if err != nil {
			return err
		}
		install := action.NewInstall(config)
		install.ReleaseName, install.Namespace = op.name, op.namespace
		install.WaitStrategy, install.Timeout = kube.HookOnlyStrategy, time.Minute
		_, err = install.Run(loaded, values)
		return err
	case "upgrade":
		loaded, values, err := loadHelm4(op)
		if err != nil {
			return err
		}
		upgrade := action.NewUpgrade(config)
		upgrade.Namespace, upgrade.MaxHistory = op.namespace, 10
		upgrade.WaitStrategy, upgrade.Timeout = kube.HookOnlyStrategy, time.Minute
		_, err = upgrade.Run(op.name, loaded, values)
		return err
	case "rollback":
		rollback := newRollback4(config)
		rollback.Version = op.revision
		return rollback.Run(op.name)
	case "uninstall":
		uninstall := action.NewUninstall(config)
		uninstall.WaitStrategy, uninstall.Timeout = kube.HookOnlyStrategy, time.Minute
		_, err := uninstall.Run(op.name)
		return err
	case "correct-drift":
		return correctDrift(config, op.name)
	}
	return fmt.Errorf("there is no operation %q", op.kind)
}

func newRollback4(config *action.Configuration) *action.Rollback {
	rollback := action.NewRollback(config)
	rollback.MaxHistory = 10
	rollback.WaitStrategy, rollback.Timeout = kube.HookOnlyStrategy, time.Minute
	return rollback
}

// correctDrift rolls the release back to the revision that it has. Helm supersedes that one when the rollback fails, so the failed
// revision is then deleted, and the one before it stored again as it was.
func correctDrift(config *action.Configuration, name string) error {
	current, err := last4(config, name)
	if err != nil {
		return err
	}
	rollback := newRollback4(config)
	rollback.Version = current.Version
	rollback.ServerSideApply = "false"
	failure := rollback.Run(name)
	if failure == nil {
		return nil
	}
	failed, err := last4(config, name)
	if err != nil {
		return errors.Join(failure, err)
	}
	if failed.Version != current.Version+1 || failed.Info.Status != common.StatusFailed {
		return failure
	}
	if _, err := config.Releases.Delete(name, failed.Version); err != nil {
		return errors.Join(failure, fmt.Errorf("delete of the failed revision: %w", err))
	}
	if err := config.Releases.Update(current); err != nil {
		return errors.Join(failure, fmt.Errorf("restore of the revision before: %w", err))
	}
	return failure
}

func last4(config *action.Configuration, name string) (*release.Release, error) {
	last, err := config.Releases.Last(name)
	if err != nil {
		return nil, err
	}
	typed, ok := last.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("a release of type %T", last)
	}
	return typed, nil
}

func loadHelm4(op operation) (*chart.Chart, map[string]any, error) {
	loaded, err := loader.Load(op.chart)
	if err != nil {
		return nil, nil, err
	}
	values, err := strvals.Parse(op.set)
	return loaded, values, err
}
