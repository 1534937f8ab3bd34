/**
 * The flags of Helm 3.22 and 4.3. To find the release and the chart, it is enough to know whether a flag takes the next argument as its
 * value. A test compares these tables with the `--help` of both versions.
 */

/** Helm's commands that change a release. */
export type HelmCommand = 'install' | 'upgrade' | 'rollback' | 'uninstall';

export interface FlagTable {
  /** `--set`, `-f`: flags with a value, as `--set=x` or as the next argument. */
  readonly values: ReadonlySet<string>;
  /** `--install`, `-i`, `--dry-run`: flags whose value, if any, is joined by `=`. */
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

/** Flags for the origin of a chart. `helm show chart` takes them too. */
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
    // In Helm 4, --server-side is a switch for install, and takes a value for the other commands.
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

/** Joins tables. For a flag in several tables, the first table counts. */
export const mergeTables = (...tables: readonly FlagTable[]): FlagTable => {
  const [values, switches] = [new Set<string>(), new Set<string>()];
  for (const table of tables) {
    for (const flag of table.values) if (!switches.has(flag)) values.add(flag);
    for (const flag of table.switches) if (!values.has(flag)) switches.add(flag);
  }
  return { values, switches };
};

/** Flags that every command of Helm takes. Recovery passes them to its own commands. */
export const GLOBAL_FLAGS: FlagTable = GLOBAL;

export const CHART_SOURCE_FLAGS: FlagTable = CHART_SOURCE;

export const flagsOf = (command: HelmCommand): FlagTable =>
  command === 'install' || command === 'upgrade'
    ? mergeTables(OWN[command], GLOBAL, CHART_SOURCE, RENDERING)
    : mergeTables(OWN[command], GLOBAL);

/** A flag in `helm --help`: `-f, --values strings   what it is for`, or `--wait WaitStrategy[=watcher]` with an optional value. */
const FLAG_LINE = /^ {2,6}(?:(-\w), )?(--[\w-]+)(?: (\S+))?(?: {2,}|$)/;

/** Reads the flags of a command from its `--help`. A flag takes a value only if the column of types has an entry. */
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
