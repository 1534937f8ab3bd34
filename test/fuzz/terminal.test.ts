// Longer than 200 lines: every way by which text reaches a person is tested with one set of generators.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeDenial } from '../../src/admission/explain/message.ts';
import { toAdmissionResponse } from '../../src/admission/wire/respond.ts';
import { showDiff } from '../../src/cli/drift/unified-diff.ts';
import { explainLines } from '../../src/cli/explain/explain-lines.ts';
import { Failure, showFailure } from '../../src/cli/failure.ts';
import { toJson } from '../../src/cli/output/machine.ts';
import { layOut } from '../../src/cli/output/table.ts';
import { toYaml } from '../../src/cli/output/yaml.ts';
import { viewReleases } from '../../src/cli/releases/release-view.ts';
import { statusRow } from '../../src/cli/status/status-rows.ts';
import type { CheckedRelease, ObjectDrift } from '../../src/drift/findings.ts';
import { toMessage } from '../../src/events/event-object.ts';
import type { HelmStatus, ReleaseRecord } from '../../src/helm/record.ts';
import type { Freeze, LockSource } from '../../src/policy/lock.ts';
import type { Denial } from '../../src/rules/verdict.ts';
import { createDecisionLog, createLog } from '../../src/telemetry/log.ts';
import { fuzz, hostileText, json, jsonMap, key } from './fuzz.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);

/** Checks that a text holds no character that a terminal obeys, hides or reorders. Line breaks are allowed. */
const isHarmless = (shown: string): void => {
  const found = /(?!\n)\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/u.exec(shown);
  if (found) assert.fail(`${JSON.stringify(found[0])} in ${JSON.stringify(shown.slice(0, 300))}`);
};
/** Checks that every line is harmless and is a single line. */
const hasNoForgedLine = (lines: readonly string[]): void => {
  for (const line of lines) {
    isHarmless(line);
    assert.ok(!line.includes('\n'), line);
  }
};

const text = hostileText;
const ms = fc.integer({ min: 0, max: 4e12 });
const release = fc.record({ namespace: text, name: text });
const source: fc.Arbitrary<LockSource> = fc.record({
  kind: fc.constantFrom('Secret', 'ConfigMap', 'Namespace', 'ReleasePolicy'),
  namespace: text,
  name: text,
});
const recordRef = fc.record({ kind: fc.constantFrom('Secret', 'ConfigMap'), namespace: text, name: text });
const objectRef = fc.record({ group: text, kind: text, namespace: text, name: text });
const chart = fc.record({ name: text, version: text });
const inFlight = fc.record({
  operation: fc.constantFrom('install', 'upgrade', 'rollback', 'uninstall'),
  revision: fc.nat(),
  holder: fc.option(text, { nil: undefined }),
  sinceMs: ms,
  staleAtMs: ms,
  record: fc.option(recordRef, { nil: undefined }),
});
const freeze: fc.Arbitrary<Freeze> = fc.record({
  source,
  reason: text,
  by: fc.option(text, { nil: undefined }),
  untilMs: fc.option(ms, { nil: undefined }),
});
const change = fc.record({
  path: text,
  pointer: text.map((name) => `/${name}`),
  before: json,
  after: json,
  secret: fc.boolean(),
});
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { minLength: 1, maxLength: 4 });
const operation = fc.constantFrom('install' as const, 'upgrade' as const, 'rollback' as const, 'uninstall' as const);

const denials: { readonly [Code in Denial['code']]: fc.Arbitrary<Omit<Extract<Denial, { code: Code }>, 'code'>> } = {
  BelayOperationInFlight: fc.record({ release, attempt: operation, inFlight, object: objectRef }),
  BelayFrozen: fc.record({ release, attempt: operation, freezes: some(freeze), object: objectRef }),
  BelayDrift: fc.record({
    release,
    attempt: fc.constantFrom('change', 'delete', 'create', 'scale'),
    object: objectRef,
    governing: fc.record({ revision: fc.nat(), chart: text }),
    recordKind: fc.constantFrom('Secret', 'ConfigMap'),
    changes: some(change),
  }),
  BelayPinned: fc.record({
    release,
    attempt: operation,
    chart,
    deployed: fc.option(chart, { nil: undefined }),
    problem: fc.constantFrom('chart', 'version', 'unreadable'),
    pins: some(fc.record({ source, range: text })),
  }),
  BelayDowngrade: fc.record({ release, attempt: operation, chart, deployed: chart, sources: some(source) }),
  BelayFenced: fc.record({
    release,
    revision: fc.nat(),
    overtakenBy: fc.nat(),
    holder: fc.option(text, { nil: undefined }),
  }),
  BelayRecordProtected: fc.record({ release, record: recordRef, problem: text, remedy: text }),
  BelayBadLock: fc.record({ source, annotation: text, problem: text, remedy: text }),
  BelayBadPolicy: fc.record({ policy: text, problems: some(fc.record({ field: text, problem: text })) }),
  BelayLockForbidden: fc.record({
    release,
    source,
    user: text,
    verb: fc.constantFrom('lock', 'unlock', 'open', 'break'),
    annotations: some(text),
  }),
  BelayClaimGuarded: fc.record({ lease: text, namespace: text, inFlight: fc.option(inFlight, { nil: undefined }) }),
  BelayUnavailable: fc.record({ problem: text }),
};
const denial = fc.oneof(
  ...Object.entries(denials).map(([code, facts]) =>
    (facts as fc.Arbitrary<object>).map((some) => ({ ...some, code }) as Denial),
  ),
);

fuzz(
  'any refusal is safe as a message, as warnings, in the audit log and in an Event',
  [denial],
  (refused) => {
    const { message, causes } = describeDenial(refused, NOW_MS);
    hasNoForgedLine(message.split('\n'));
    assert.ok(message.length < 64 * 1024);
    for (const { field = '', message: cause } of causes) hasNoForgedLine([field, cause]);
    isHarmless(toMessage(message));
    for (const action of ['Warn', 'Audit'] as const) {
      const response = toAdmissionResponse(
        'uid',
        { allowed: true, why: 'waived', waived: [{ action, denial: refused }] },
        NOW_MS,
      ) as { response: { warnings?: string[]; auditAnnotations?: Record<string, string> } };
      const { warnings = [], auditAnnotations = {} } = response.response;
      hasNoForgedLine([...warnings, ...Object.values(auditAnnotations)]);
    }
  },
  400,
);

const locks = fc.option(
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          'belay.dev/freeze',
          'belay.dev/freeze-by',
          'belay.dev/pin',
          'belay.dev/open',
          'belay.dev/break',
          'belay.dev/x',
        ),
        text,
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((entries): Record<string, string> => Object.fromEntries(entries)),
  { nil: undefined },
);
const record: fc.Arbitrary<ReleaseRecord> = fc.record({
  kind: fc.constantFrom('Secret', 'ConfigMap'),
  namespace: text,
  name: text,
  uid: fc.constant('uid'),
  resourceVersion: fc.constant('1'),
  release: text,
  revision: fc.nat(9),
  status: fc.constantFrom<HelmStatus>('deployed', 'failed', 'pending-upgrade', 'uninstalling', 'superseded'),
  locks,
  createdAtMs: ms,
  updatedAtMs: ms,
});

fuzz(
  '`status` and `explain` are safe with any records, locks and charts',
  [some(record), text, locks, text, text],
  (records, holder, annotations = {}, chartName, version) => {
    const claim = {
      resourceVersion: '1',
      holder,
      operation: 'upgrade',
      revision: 1,
      acquiredAtMs: NOW_MS,
      renewedAtMs: NOW_MS,
      recordVersion: undefined,
    } as const;
    const snapshot = {
      records,
      claims: new Map(records.map(({ namespace, release: name }) => [`${namespace}/${name}`, claim])),
      namespace: (name: string) => ({ name, annotations, labels: {}, terminating: false }),
      policies: [],
      drifted: new Set(records.map(({ uid }) => uid)),
    };
    const stored = new Map([['uid', { chart: { name: chartName, version }, namespace: chartName }]]);
    const views = viewReleases(snapshot, stored, NOW_MS);
    const rows = views.map((view) => statusRow(view, { wide: true, allNamespaces: true, nowMs: NOW_MS }));
    hasNoForgedLine(layOut(rows).lines);
    const invocation = { name: 'belay', namespace: undefined } as unknown as Parameters<typeof explainLines>[1];
    for (const view of views) hasNoForgedLine(explainLines({ view, candidates: undefined, nowMs: NOW_MS }, invocation));
  },
);

fuzz('any error of the API server is safe', [text, text], (message, more) => {
  const shown = showFailure(new Failure(`${message}\n${more}`));
  isHarmless(shown);
  assert.match(shown, /^Error: /);
});

fuzz('`-o json` and `-o yaml` are safe, and lose nothing', [jsonMap, key, text], (value, name, said) => {
  const object = { ...value, said, list: [{ [`x${name}`]: said }] };
  const shown = toJson(object);
  isHarmless(shown);
  assert.deepEqual(JSON.parse(shown), JSON.parse(JSON.stringify(object)));
  isHarmless(toYaml(object));
});

const driftedField = fc.record({
  path: text,
  pointer: text.map((name) => `/${name}`),
  before: json,
  after: json,
  secret: fc.boolean(),
  writer: fc.option(fc.record({ manager: text, atMs: fc.option(ms, { nil: undefined }) }), { nil: undefined }),
});
const drift = fc.record({
  object: objectRef,
  problem: fc.constantFrom('missing', 'unmarked', 'changed', 'added'),
  changed: fc.array(driftedField, { maxLength: 3 }),
  added: fc.array(driftedField, { maxLength: 2 }),
  keep: fc.boolean(),
  live: fc.option(jsonMap, { nil: undefined }),
  desired: jsonMap,
  document: jsonMap,
  method: fc.constantFrom('apply', undefined),
  manager: text,
});

fuzz(
  '`drift` is safe with any objects in the cluster',
  [drift, release, text, text],
  async (found, name, chartOf, namespace) => {
    const checked = {
      checked: true,
      release: name,
      namespace,
      governing: { revision: 1 },
      chart: chartOf,
      listed: 1,
      drifted: [],
      unchecked: [],
    } as unknown as CheckedRelease;
    const object = { apiVersion: 'v1', ...found } as unknown as ObjectDrift;
    isHarmless(await showDiff(object, checked, process.stdout));
  },
  60,
);

fuzz('the log is safe with any values', [text, text, text, jsonMap], (user, name, namespace, value) => {
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  createDecisionLog(log)({
    uid: name,
    review: 'object',
    operation: 'UPDATE',
    object: name,
    subResource: user,
    namespace,
    name,
    user,
    allowed: false,
    reason: 'BelayDrift',
    waived: [user],
    ms: 1,
  });
  log.warn({ problem: user, value }, name);
  for (const line of lines) {
    isHarmless(line);
    assert.equal(line.indexOf('\n'), line.length - 1);
    JSON.parse(line);
  }
  assert.equal((JSON.parse(lines[0] ?? '') as { user: string }).user, JSON.parse(JSON.stringify(user)));
});
