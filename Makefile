# The front door. The pinned Node (a devDependency) runs everything; the Node at hand only installs it.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.DEFAULT_GOAL := help
.SUFFIXES:
harness := test/cluster/harness
# The oldest Kubernetes that is supported, and the tests that depend most on what an API server can do.
oldest := 1.30
oldest-tests := webhook-conditions policy-crd locks drift one-at-a-time
installed := node_modules/.package-lock.json

.PHONY: help demo test test-unit test-http test-fuzz fuzz test-cluster test-oldest test-matrix test-times test-names lint types format build dist install-file sbom generate record binaries up down user bench kind clean

help: ## prints this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(installed) ## the main job, told as a story on a real control plane
	@node test/demo/demo.ts

test: lint types test-unit test-http test-fuzz test-cluster ## everything

test-unit: $(installed) ## the rules, in seconds, with Node alone
	@npm run --silent test:unit

test-http: $(installed) ## the server, without a cluster
	@npm run --silent test:http

test-fuzz: $(installed) ## whatever may come in, at random: a few seconds of it
	@npm run --silent test:fuzz

fuzz: $(installed) ## the same for longer, each property: [FUZZ_SECONDS=60] [FUZZ_SEED=...] to replay
	@FUZZ_SECONDS="$(or $(FUZZ_SECONDS),60)" $(if $(FUZZ_SEED),FUZZ_SEED="$(FUZZ_SEED)") npm run --silent test:fuzz

test-cluster: $(installed) binaries ## Belay in front of a real API server, with real Helm
	@npm run --silent test:cluster

test-oldest: $(installed) ## what depends most on the API server, on the oldest Kubernetes that is supported
	@BELAY_KUBERNETES=$(oldest) node $(harness)/binaries.ts > /dev/null
	@BELAY_KUBERNETES=$(oldest) node test/run/tests.ts cluster $(oldest-tests)

test-matrix: test-cluster ## the cluster tests, all of them, on the newest Kubernetes and on the oldest
	@BELAY_KUBERNETES=$(oldest) $(MAKE) --no-print-directory test-cluster

test-times: $(installed) ## how long each file of tests took when it was run last, and how many tests it has
	@node test/run/times.ts

test-names: $(installed) ## the name of every test, without running one
	@node test/run/names.ts

lint: $(installed) ## Biome, and the order of the folders of src/; changes nothing
	@npm run --silent lint

types: $(installed) ## TypeScript, strict
	@npm run --silent types

format: $(installed) ## formats, and fixes what can be fixed safely
	@npm run --silent format

build: $(installed) ## bundles Belay into dist/
	@npm run --silent build

dist: $(installed) ## packages into dist/packages/: plugins of Helm and kubectl, npm, chart, install.yaml [BASE_URL=https://...] [IMAGE=...]
	@npm run --silent dist

sbom: $(installed) ## lists what Belay is made of into dist/sbom/: CycloneDX and SPDX
	@npm run --silent sbom

install-file: $(installed) ## writes dist/install.yaml, for one kubectl apply -f [IMAGE=images.example.com/belay:0.1.0]
	@node packaging/write-install-file.ts

generate: $(installed) ## writes what is made of the source and checked in: the CRD, docs/reference.md
	@node generate.ts

record: $(installed) ## asks a real API server and both Helms anew for what the tests in memory are held against (test/recording)
	@node test/recording/record.ts

binaries: $(installed) ## finds or builds etcd, Kubernetes, kwok and Helm (once, about 6 minutes)
	@node $(harness)/binaries.ts > /dev/null

up: $(installed) ## a control plane with Belay in the background [REPLICAS=1] [STALE_AFTER=10m] [BELAY=no]
	@REPLICAS="$(REPLICAS)" STALE_AFTER="$(STALE_AFTER)" BELAY="$(BELAY)" node $(harness)/up.ts

down: $(installed) ## ends it
	@node $(harness)/down.ts

# GROUPS is a variable of bash's own, but not of make's: given on make's command line, it is ours.
user: $(installed) ## a kubeconfig for it: NAME=dev [GROUPS=devs,ops]
	@node $(harness)/user.ts "$(NAME)" $(if $(filter command line,$(origin GROUPS)),"$(GROUPS)")

bench: $(installed) ## throughput and latency beside a bare https server
	@node test/bench/bench.ts

# Where there is Docker. It is kept small and has not been run on the machine that the rest was made on, which has none.
kind: $(installed) ## Belay in a kind cluster (needs Docker, kind and kubectl)
	kind get clusters | grep -qx belay || kind create cluster --name belay
	docker build --tag belay:dev .
	kind load docker-image belay:dev --name belay
	kubectl --context kind-belay apply -k manifests/base
	kubectl --context kind-belay --namespace belay-system set image deployment/belay belay=belay:dev
	kubectl --context kind-belay --namespace belay-system rollout status deployment/belay --timeout=120s

clean: down ## ends `make up` and removes what was built here (the binaries' cache stays)
	@rm -rf dist .cluster

# npm writes this file last; an install that was broken off is done again.
$(installed): package-lock.json
	@npm ci --no-audit --no-fund
	@touch $@
