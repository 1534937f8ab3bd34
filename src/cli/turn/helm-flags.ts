/**
 * The flags of Helm 3.22 and 4.3 that a command line is read by. Whether a flag takes the next argument as its value is all that has to be
 * known: it decides which words are the release and the chart. A test holds this against the `--help` of both.
 */

/** Helm's commands that change a release. */
export type HelmCommand = 'install' | 'upgrade' | 'rollback' | 'uninstall';

export interface FlagTable {
  /** `--set`, `-f`: the value is what follows, as `--set=x` or as the next argument. */
  readonly values: ReadonlySet<string>;
  /** `--install`, `-i`, `--dry-run`: a value, if any, is joined by `=`. */
  readonly switches: ReadonlySet<string>;
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const GLOBAL: FlagTable = {
  values: new Set(
    words(`
      --burst-limit --color --colour --content-cache --kube-apiserver --kube-as-group --kube-as-user --kube-ca-file --kube-context
      --kube-tls-server-name --kube-token --kubeconfig -n --namespace --qps --registry-config --repository-cache --repository-config
    `),
  ),
  switches: new Set(words('--debug -h --help --kube-insecure-skip-tls-verify')),
};

/** Where a chart comes from. `helm show chart` takes them too. */
const CHART_SOURCE: FlagTable = {
  values: new Set(words('--ca-file --cert-file --key-file --keyring --password --repo --username --version')),
  switches: new Set(words('--devel --insecure-skip-tls-verify --pass-credentials --plain-http --verify')),
};

const RENDERING: FlagTable = {
  values: new Set(
    words(`
      --description -l --labels -o --output --post-renderer --post-renderer-args --set --set-file --set-json --set-literal --set-string
      --timeout -f --values
    `),
  ),
  switches: new Set(
    words(`
      --atomic --create-namespace --dependency-update --disable-openapi-validation --dry-run --enable-dns --force --force-conflicts
      --force-replace --hide-notes --hide-secret --no-hooks --render-subchart-notes --rollback-on-failure --skip-crds
      --skip-schema-validation --take-ownership --wait --wait-for-jobs
    `),
  ),
};

const OWN: Readonly<Record<HelmCommand, FlagTable>> = {
  install: {
    values: new Set(words('--name-template')),
    // In Helm 4 `install --server-side` is a switch, unlike that of the other commands.
    switches: new Set(words('-g --generate-name --replace --server-side')),
  },
  upgrade: {
    values: new Set(words('--history-max --server-side')),
    switches: new Set(
      words(`--cleanup-on-fail -i --install --recreate-pods --reset-then-reuse-values --reset-values --reuse-values`),
    ),
  },
  rollback: {
    values: new Set(words('--description --history-max --server-side --timeout')),
    switches: new Set(
      words(`
        --cleanup-on-fail --dry-run --force --force-conflicts --force-replace --no-hooks --recreate-pods --wait --wait-for-jobs
      `),
    ),
  },
  uninstall: {
    values: new Set(words('--cascade --description --timeout')),
    switches: new Set(words('--dry-run --ignore-not-found --keep-history --no-hooks --wait')),
  },
};

/** What the first table says of a flag counts. */
export const mergeTables = (...tables: readonly FlagTable[]): FlagTable => {
  const [values, switches] = [new Set<string>(), new Set<string>()];
  for (const table of tables) {
    for (const flag of table.values) if (!switches.has(flag)) values.add(flag);
    for (const flag of table.switches) if (!values.has(flag)) switches.add(flag);
  }
  return { values, switches };
};

/** Flags that every command of Helm takes, and which are handed on to what recovery runs. */
export const GLOBAL_FLAGS: FlagTable = GLOBAL;

export const CHART_SOURCE_FLAGS: FlagTable = CHART_SOURCE;

export const flagsOf = (command: HelmCommand): FlagTable =>
  command === 'install' || command === 'upgrade'
    ? mergeTables(OWN[command], GLOBAL, CHART_SOURCE, RENDERING)
    : mergeTables(OWN[command], GLOBAL);

/** `helm --help` prints each flag as `-f, --values strings   what it is for`, and `--wait WaitStrategy[=watcher]` where the value may be left out. */
const FLAG_LINE = /^ {2,6}(?:(-\w), )?(--[\w-]+)(?: (\S+))?(?: {2,}|$)/;

/** Reads the flags of a command from what its `--help` prints. Only what stands in the column of types is a value. */
export const readHelp = (help: string): FlagTable => {
  const [values, switches] = [new Set<string>(), new Set<string>()];
  for (const line of help.split('\n')) {
    const [, short, long, type] = FLAG_LINE.exec(line) ?? [];
    if (long === undefined) continue;
    const takesNext = type !== undefined && !type.includes('[=');
    for (const flag of [short, long]) if (flag !== undefined) (takesNext ? values : switches).add(flag);
  }
  return { values, switches };
};
