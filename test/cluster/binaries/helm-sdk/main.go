// Command helm-sdk does what programs do that embed Helm and that no flag of the helm command does:
//   - its operations with the records in one namespace and the objects in another, as Flux' helm-controller with
//     spec.storageNamespace;
//   - to correct drift as Fleet's agent does, which takes a failed rollback back;
//   - to store a revision as deployed without an operation, as the plugin mapkubeapis does;
//   - to tell what a range of chart versions means, and what both Helms read out of payloads, which need no cluster.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
)

// An operation on one release, whichever Helm performs it.
type operation struct {
	kind string
	name string
	// Directory of the chart, for install and upgrade.
	chart string
	// Target of a rollback.
	revision int
	// Where the records are.
	storage string
	// Where the objects are.
	namespace string
	// As helm's --set.
	set string
}

const usage = `usage: helm-sdk -helm 3|4 -storage NAMESPACE -namespace NAMESPACE [-set VALUES] OPERATION
  install NAME CHART
  upgrade NAME CHART
  rollback NAME REVISION
  uninstall NAME
  correct-drift NAME  (Helm 4)
  map-apis NAME       (Helm 3)
usage: helm-sdk ranges < QUESTIONS.json
usage: helm-sdk payloads < PAYLOADS.json
The cluster is the one of $KUBECONFIG.`

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) == 2 && os.Args[1] == "ranges" {
		return answerRanges(os.Stdin, os.Stdout)
	}
	if len(os.Args) == 2 && os.Args[1] == "payloads" {
		return answerPayloads(os.Stdin, os.Stdout)
	}
	helm := flag.Int("helm", 4, "major version of Helm")
	var op operation
	flag.StringVar(&op.storage, "storage", "", "namespace of the records")
	flag.StringVar(&op.namespace, "namespace", "", "namespace of the objects")
	flag.StringVar(&op.set, "set", "", "values, as for helm --set")
	flag.Parse()
	args := flag.Args()
	if op.storage == "" || op.namespace == "" || len(args) < 2 {
		return errors.New(usage)
	}
	op.kind, op.name = args[0], args[1]
	switch {
	case (op.kind == "install" || op.kind == "upgrade") && len(args) == 3:
		op.chart = args[2]
	case op.kind == "rollback" && len(args) == 3:
		revision, err := strconv.Atoi(args[2])
		if err != nil {
			return fmt.Errorf("revision: %w", err)
		}
		op.revision = revision
	case (op.kind == "uninstall" || op.kind == "correct-drift" || op.kind == "map-apis") && len(args) == 2:
	default:
		return errors.New(usage)
	}
	switch *helm {
	case 3:
		return runHelm3(op)
	case 4:
		return runHelm4(op)
	default:
		return fmt.Errorf("there is no Helm %d here", *helm)
	}
}
