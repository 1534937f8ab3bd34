import { showNames } from '../../admission/explain/explanation.ts';
import { nextWindow, windowInForce } from '../../policy/freeze-windows.ts';
import type { LockSource } from '../../policy/lock.ts';
import type { Policy, PolicySubject } from '../../policy/policy.ts';
import { quoteText, showName } from '../../text/escape.ts';
import { showDuration, showTime, showWhen } from '../../text/when.ts';
import { openCluster } from '../access/cluster-access.ts';
import type { ClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';
import { candidatesFor } from '../releases/candidates.ts';
import { findRelease } from '../releases/find-releases.ts';
import type { Lock } from '../releases/locks.ts';
import type { ReleaseView } from '../releases/release-view.ts';
import { showChart } from '../status/status-rows.ts';

export interface Explained {
  readonly view: ReleaseView;
  /** The first is the policy in force. Undefined: policies may not be read. */
  readonly candidates: readonly Policy[] | undefined;
  readonly nowMs: number;
}

type Section = readonly [heading: string, lines: readonly string[]];

const showPolicy = ({ name, priority }: Policy): string => `${showName(name ?? '')}, priority ${priority}`;

const policySection = ({ view, candidates }: Explained): Section => {
  if (candidates === undefined)
    return ['Policy', ['<unknown>: you may not read releasepolicies.belay.dev, or the labels of the namespace']];
  const [first, ...others] = candidates;
  if (first === undefined) return ['Policy', ['the built-in defaults: no ReleasePolicy matches']];
  const isTie = others[0]?.priority === first.priority;
  const why =
    others.length === 0
      ? 'the only one that matches'
      : isTie
        ? 'the first by name of those with the highest priority'
        : 'the highest priority of those that match';
  const name = view.policy?.name ?? first.name ?? '';
  return [
    'Policy',
    [
      `${showPolicy(first)}: ${why}`,
      ...others.map((other) => `not in force: ${showPolicy(other)}`),
      `see ${`kubectl get releasepolicy ${/^[a-z0-9.-]+$/.test(name) ? name : '<policy>'} -o yaml`}`,
    ],
  ];
};

const showSubject = (subject: PolicySubject): string =>
  `${subject.kind} ${showName(subject.kind === 'ServiceAccount' ? `${subject.namespace}:${subject.name}` : subject.name)}`;

const rulesSection = ({ policy }: ReleaseView, nowMs: number): Section => {
  if (policy === undefined) return ['Rules', ['<unknown>']];
  const { operations, versions, drift, freeze } = policy;
  const range = versions.range === undefined ? 'any version' : `versions ${quoteText(versions.range)}`;
  const windows = freeze.windows.map((window) => {
    const open = windowInForce(window, nowMs);
    const next = nextWindow(window, nowMs);
    const state =
      open !== undefined
        ? `open${open.endMs === undefined ? '' : ` until ${showWhen(open.endMs, nowMs)}`}`
        : next === undefined
          ? 'never opens again'
          : `opens ${showWhen(next, nowMs)}`;
    return `  window ${quoteText(window.schedule)} (${showName(window.timeZone)}) for ${showDuration(window.durationMs)}: ${state}`;
  });
  return [
    'Rules',
    [
      `operations: ${operations.action}, an operation is stale after ${showDuration(operations.staleAfterMs)}`,
      `versions:   ${versions.action}, ${range}, downgrades ${versions.downgrade === 'Deny' ? 'forbidden' : 'allowed'}`,
      `drift:      ${drift.action}, people ${drift.users}, service accounts ${drift.serviceAccounts}, ${drift.ignore.length} ignored, ${drift.trusted.length} trusted`,
      ...drift.allow.map(
        ({ subjects, kind, paths, whileFrozen }) =>
          `  left to ${subjects.map(showSubject).join(', ')}${whileFrozen ? ', also while frozen' : ''}: ${kind} ${paths.map(showName).join(', ')}`,
      ),
      ...(drift.presets.length === 0 ? [] : [`  presets: ${drift.presets.join(', ')}`]),
      ...(drift.dryRun === 'Deny' ? ['  dry runs are refused as well'] : []),
      `freeze:     ${freeze.action}${freeze.reason === undefined ? '' : `, frozen: ${quoteText(freeze.reason)}`}`,
      ...windows,
    ],
  ];
};

const showSources = (sources: readonly LockSource[]): string => {
  const [first] = sources;
  if (first === undefined) return '';
  return `${first.kind} ${first.kind === 'Secret' || first.kind === 'ConfigMap' ? showNames(sources.map(({ name }) => name)) : showName(first.name)}`;
};

const showLock = ({ kind, sources, reason, by, untilMs, range }: Lock, nowMs: number): string =>
  [
    kind,
    ...(range === undefined ? [] : [` to ${quoteText(range)}`]),
    ...(by === undefined ? [] : [` by ${showName(by)}`]),
    ...(untilMs === undefined ? [] : [`, until ${showWhen(untilMs, nowMs)}`]),
    `, on ${showSources(sources)}`,
    ...(reason === undefined ? [] : [`: ${reason === '' ? 'no reason given' : quoteText(reason)}`]),
  ].join('');

const LIFT: Readonly<Record<Lock['kind'], string>> = {
  frozen: 'unfreeze',
  pinned: 'unpin',
  'no-downgrade': 'no-downgrade',
  open: 'close',
};

const word = (name: string): string => (/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name) ? name : '<name>');

/** The command that lifts a lock at its source. */
const liftCommand = ({ kind, sources }: Lock, { release }: ReleaseView, { name }: Invocation): string => {
  const [source] = sources;
  if (source?.kind === 'ReleasePolicy') return `kubectl edit releasepolicy ${word(source.name)}`;
  const off = kind === 'no-downgrade' ? ' off' : '';
  return source?.kind === 'Namespace'
    ? `${name} ${LIFT[kind]}${off} --namespace-wide -n ${word(source.name)}`
    : `${name} ${LIFT[kind]} ${word(release.name)}${off} -n ${word(release.namespace)}`;
};

const locksSection = (view: ReleaseView, nowMs: number, invocation: Invocation): Section => {
  const { locks, areLocksComplete } = view;
  const lines = locks.flatMap((lock) => [
    showLock(lock, nowMs),
    `  to lift it, if you may: ${liftCommand(lock, view, invocation)}`,
  ]);
  return [
    'Locks',
    [
      ...(lines.length === 0 && areLocksComplete ? ['none'] : lines),
      ...(areLocksComplete ? [] : ['<unknown>: you may not read the Namespace, which may carry more']),
    ],
  ];
};

const operationSection = (view: ReleaseView, nowMs: number, { name }: Invocation): Section => {
  const { operation, release } = view;
  if (operation.state === 'idle') return ['Operation', ['none: nobody holds the release']];
  const it = operation.state === 'dead' ? operation.was : operation.inFlight;
  const holder = it.holder === undefined ? '<unknown>, it began without Belay' : showName(it.holder);
  const what = `${it.operation} ${it.operation === 'uninstall' ? 'of' : 'to'} revision ${it.revision}, held by ${holder}`;
  const lines = [what, `since ${showWhen(it.sinceMs, nowMs)}`];
  if (operation.state === 'dead') return ['Operation', [...lines, `${operation.reason}: the next one may take over`]];
  return [
    'Operation',
    [
      ...lines,
      `stale from ${showWhen(it.staleAtMs, nowMs)}, if nothing more is heard of it until then`,
      ...(it.record === undefined
        ? []
        : [
            `if it is dead, and you may: ${name} break ${word(release.name)} --reason "why" -n ${word(release.namespace)}`,
          ]),
    ],
  ];
};

/** Everything by which Belay would judge a release, in the layout of `kubectl describe`. */
export const explainLines = (explained: Explained, invocation: Invocation): readonly string[] => {
  const { view, nowMs } = explained;
  const { release, newest, deployed } = view;
  const running =
    deployed === undefined
      ? 'nothing is deployed'
      : deployed === newest
        ? ''
        : `deployed is revision ${deployed.revision}`;
  const head: readonly (readonly [string, string])[] = [
    ['Name', showName(release.name)],
    ['Namespace', showName(release.namespace)],
    ['Chart', showChart(view)],
    ['Revision', `${newest.revision}, ${newest.status}${running === '' ? '' : `; ${running}`}`],
    ['Changed', showTime(newest.updatedAtMs)],
    [
      'Stored in',
      `${newest.kind} ${showNames([...view.records].sort((a, b) => a.revision - b.revision).map(({ name }) => name))}`,
    ],
  ];
  const sections = [
    policySection(explained),
    rulesSection(view, nowMs),
    locksSection(view, nowMs, invocation),
    operationSection(view, nowMs, invocation),
  ];
  return [
    ...head.map(([key, value]) => `${`${key}:`.padEnd(11)} ${value}`),
    ...sections.flatMap(([heading, lines]) => [`${heading}:`, ...lines.map((line) => `  ${line}`)]),
  ];
};

/** `belay explain`. */
export const explain = async (name: string, options: ClusterOptions, invocation: Invocation): Promise<void> => {
  const { api, namespace } = await openCluster(options, invocation);
  const { view, snapshot } = await findRelease(api, namespace, name);
  const labels = snapshot.namespace(namespace)?.labels;
  const { policies } = snapshot;
  const candidates =
    policies === undefined || (labels === undefined && policies.length > 0)
      ? undefined
      : candidatesFor(policies, name, labels ?? {});
  const lines = explainLines({ view, candidates, nowMs: Date.now() }, invocation);
  process.stdout.write(`${lines.join('\n')}\n`);
};
