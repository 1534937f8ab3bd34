import { showObject, showReason } from '../../drift/describe-drift.ts';
import { type FindDependencies, findReleaseDrift } from '../../drift/find-release-drift.ts';
import { type ReleaseDrift, skip } from '../../drift/findings.ts';
import { createMissingRights } from '../../drift/missing-rights.ts';
import type { RepairSituation } from '../../drift/repair-release.ts';
import { createLiveFacts } from '../../facts/live-facts.ts';
import type { ReleaseName } from '../../helm/names.ts';
import { DEFAULT_INTERVALS } from '../../intervals/intervals.ts';
import { createKinds } from '../../kubernetes/kinds.ts';
import { builtInPolicy, DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';
import { showName } from '../../text/escape.ts';
import { type ClusterAccess, openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import { EXIT, Failure } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { printObjects } from '../output/machine.ts';
import { note, sayFailure, warn } from '../output/say.ts';
import { type FoundReleases, findReleases, notFound } from '../releases/find-releases.ts';
import type { ReleaseView } from '../releases/release-view.ts';
import { readNamespace } from '../releases/snapshot.ts';
import { driftObject } from './drift-object.ts';
import { readManifests } from './read-manifest.ts';
import { type Remainder, repair, worse } from './repair.ts';
import { showDiff } from './unified-diff.ts';

export interface DriftOptions extends ClusterOptions {
  readonly allNamespaces?: boolean;
  readonly output: 'diff' | 'json' | 'yaml' | 'name';
  readonly repair?: boolean;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
}

/** `kubectl diff` ends with 1 for a difference. Here 1 is an error, as in all commands of this program. */
const DRIFTED = 2;

/** Concurrent requests for the objects of one release. client-go lets kubectl send 50 requests a second. */
const AT_ONCE = 8;

const policyOf = ({ policy }: Pick<ReleaseView, 'policy'>) => policy ?? builtInPolicy(DEFAULT_STALE_AFTER_MS);

const keyOf = ({ namespace, name }: ReleaseName): string => `${namespace}/${name}`;

const openTools = ({ api }: ClusterAccess): FindDependencies => ({
  api,
  kinds: createKinds(api, Date.now, DEFAULT_INTERVALS.discovery),
  rights: createMissingRights(Date.now, DEFAULT_INTERVALS.sweep.forbiddenMs),
  manifests: readManifests(api),
  nowMs: Date.now,
  atOnce: AT_ONCE,
});

const find = async (
  tools: FindDependencies,
  { views, snapshot }: FoundReleases,
  signal: AbortSignal,
): Promise<readonly ReleaseDrift[]> => {
  const found: ReleaseDrift[] = [];
  for (const view of views) {
    const { release, records } = view;
    const facts = { records, claim: snapshot.claims?.get(keyOf(release)) };
    const isOff = policyOf(view).drift.action === 'Off' && views.length > 1;
    const drift = isOff
      ? skip(release, 'policy says Off')
      : await findReleaseDrift(tools, release, { facts, policy: policyOf(view) }, signal);
    found.push(drift);
  }
  return found;
};

const show = async (found: readonly ReleaseDrift[], isAlone: boolean, output: DriftOptions['output']) => {
  if (output === 'json' || output === 'yaml') return printObjects(output, found.map(driftObject), isAlone);
  for (const release of found) {
    if (!release.checked) continue;
    for (const drift of release.drifted) {
      const { kind, group, name } = drift.object;
      if (output === 'name')
        process.stdout.write(`${showName(`${kind.toLowerCase()}${group && `.${group}`}/${name}`)}\n`);
      else process.stdout.write(await showDiff(drift, release, process.stdout));
    }
  }
};

/** Says what could not be checked. Returns whether the result is therefore incomplete. */
const sayUnchecked = (found: readonly ReleaseDrift[], areNamed: boolean): boolean => {
  let isOpen = false;
  for (const release of found) {
    const name = showName(keyOf(release.release));
    if (!release.checked) {
      note(`release ${name} was not checked: ${release.why}`);
      isOpen ||= areNamed || release.why === 'unreadable record';
      continue;
    }
    for (const { object, why, detail } of release.unchecked) {
      isOpen = true;
      warn(`${showObject(object)} of release ${name} was not checked: ${why}: ${showReason(detail)}`);
    }
  }
  return isOpen;
};

const repairAll = async (
  tools: FindDependencies,
  seen: FoundReleases,
  found: readonly ReleaseDrift[],
  { prune = false, dryRun = false }: DriftOptions,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<Remainder> => {
  const live = createLiveFacts(tools.api);
  const situation = async (release: ReleaseName): Promise<RepairSituation> => {
    const view = seen.views.find((candidate) => keyOf(candidate.release) === keyOf(release));
    const [facts, namespace] = await Promise.all([
      live.release(release, signal),
      // A user who may not read the Namespace does not see its locks. Belay's webhooks still see them.
      readNamespace(tools.api, release.namespace),
    ]);
    return { facts, policy: policyOf(view ?? { policy: undefined }), namespaces: namespace ? [namespace] : [] };
  };
  let left: Remainder = 'nothing';
  for (const checked of found) {
    if (!checked.checked) continue;
    left = worse(left, await repair({ ...tools, situation }, checked, { prune, dryRun, invocation }, signal));
  }
  return left;
};

const EXIT_OF: Readonly<Record<Remainder, number>> = { nothing: 0, drift: DRIFTED, failure: EXIT.failed };

/** `belay drift`. */
export const drift = async (names: readonly string[], options: DriftOptions, invocation: Invocation): Promise<void> => {
  if (options.repair && names.length === 0) throw new Failure('name the releases that are to be repaired', EXIT.usage);
  if (options.repair && options.allNamespaces)
    throw new Failure('--repair is for the releases of one namespace', EXIT.usage);
  const access = await openCluster(options, invocation);
  const tools = openTools(access);
  const { signal } = new AbortController();
  const namespace = options.allNamespaces ? undefined : access.namespace;
  const seen = await findReleases(access.api, { namespace, names: [...new Set(names)] }, { withCharts: false });
  const found = await find(tools, seen, signal);

  const isOpen = sayUnchecked(found, names.length > 0);
  for (const name of seen.missing) sayFailure(notFound(name, access.namespace));
  const isDrifted = found.some((release) => release.checked && release.drifted.length > 0);
  const isIncomplete = isOpen || seen.missing.length > 0;
  if (!options.repair || options.dryRun) await show(found, names.length === 1, options.output);
  if (!options.repair) {
    process.exitCode = isDrifted ? DRIFTED : isIncomplete ? EXIT.failed : 0;
    return;
  }
  const left = await repairAll(tools, seen, found, options, invocation, signal);
  process.exitCode = EXIT_OF[isIncomplete ? 'failure' : left];
};
