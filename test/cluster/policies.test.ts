import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, ApiError, createApi } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from './harness/control-plane.ts';
import { SHORT_INTERVALS } from './harness/short-intervals.ts';
import { waitUntil } from './harness/wait-until.ts';
import { fails, HELMS, isDenied, makeNamespace, SHOP, succeeds } from './support/asking.ts';
import { readyOf, waitForCounts, writePolicy } from './support/policy-status.ts';

/** ReleasePolicies as an administrator of the cluster writes them, and what becomes of them, with two replicas. */

/** How soon a policy holds after it was written (issue "Policy and locks in full"). */
const RELOAD_MS = 2_000;

const manifests = join(import.meta.dirname, '..', '..', 'manifests');
const crd = join(manifests, 'base', 'release-policy-crd.yaml');
const namespace = 'policed';

let plane: ControlPlane;
let api: Api;
let ci: string;
let dev: string;
let charts: string;

/** The shop chart under another version. */
const chartOf = async (version: string): Promise<string> => {
  const dir = join(charts, version);
  await cp(SHOP, dir, { recursive: true });
  const file = join(dir, 'Chart.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('version: 1.4.0', `version: ${version}`));
  return dir;
};

before(async () => {
  plane = await startControlPlane({ quiet: true, belay: { replicas: 2 } });
  [ci, dev] = await Promise.all([plane.user('ci'), plane.user('dev')]);
  charts = await mkdtemp(join(tmpdir(), 'belay-charts-'));
  await makeNamespace(plane, namespace, { editors: ['ci'], admins: ['dev'] });
  for (const helm of HELMS) succeeds(await plane[helm](['install', `web-${helm}`, SHOP, '-n', namespace], { as: ci }));
  api = createApi(connect(dev, Date.now));
});
after(async () => {
  await plane?.stop();
  if (charts) await rm(charts, { recursive: true, force: true });
});

let writes = 0;

/** Changes a governed ConfigMap as a person: what Belay says, empty when it passes. Each call may reach another replica. */
const drift = async (name = 'web-helm3', client = api, key = 'GREETING'): Promise<string> => {
  writes += 1;
  try {
    await client.request({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
      contentType: 'application/merge-patch+json',
      body: { data: { [key]: `drift ${writes}` } },
    });
    return '';
  } catch (error) {
    return error instanceof ApiError ? `${error.status} ${error.message}` : String(error);
  }
};

const isRefused = (said: string): boolean => said.startsWith('403 ') && said.includes('[BelayDrift]');

/** Whether a write of a governed object is judged like this by each replica: the spreader takes them in turn, by connection. */
const isEverywhere = async (wanted: 'passes' | 'is refused'): Promise<boolean> => {
  for (let connection = 0; connection < 2 * plane.belay.replicas.length; connection += 1) {
    const said = await drift('web-helm3', createApi(connect(dev, Date.now)));
    if (isRefused(said) !== (wanted === 'is refused')) return false;
  }
  return true;
};

const isBuiltIn = (): Promise<boolean> => isEverywhere('is refused');

/** Resolves when each replica judges so. */
const waitUntilEverywhere = async (wanted: 'passes' | 'is refused', timeoutMs = 10_000): Promise<void> => {
  await waitUntil(`a write ${wanted}, at each replica`, async () => (await isEverywhere(wanted)) || undefined, {
    timeoutMs,
  });
};

const deletePolicies = async (): Promise<void> => {
  succeeds(await plane.kubectl(['delete', 'rpol', '--all']));
  await waitUntilEverywhere('is refused');
};

describe('a policy', () => {
  afterEach(() => deletePolicies());

  test('is in force within two seconds, and so is its change and its end', async () => {
    const reloadsMs: number[] = [];
    const within = async (wanted: 'passes' | 'is refused'): Promise<void> => {
      const startMs = performance.now();
      await waitUntil(
        `a write ${wanted}`,
        async () => isRefused(await drift()) === (wanted === 'is refused') || undefined,
      );
      reloadsMs.push(performance.now() - startMs);
    };
    assert.ok(await isBuiltIn());
    for (let turn = 0; turn < 5; turn += 1) {
      succeeds(await writePolicy(plane, 'default', { drift: { action: 'Off' } }));
      await within('passes');
      succeeds(await writePolicy(plane, 'default', { drift: { action: 'Deny' } }));
      await within('is refused');
    }
    succeeds(await writePolicy(plane, 'default', { drift: { action: 'Off' } }));
    await within('passes');
    succeeds(await plane.kubectl(['delete', 'rpol', 'default']));
    await within('is refused');
    const sortedMs = reloadsMs.toSorted((a, b) => a - b);
    const medianMs = sortedMs[Math.floor(sortedMs.length / 2)] ?? Number.NaN;
    console.log(
      `# median reload: ${Math.round(medianMs)} ms; slowest: ${Math.round(sortedMs.at(-1) ?? Number.NaN)} ms`,
    );
    // A busy machine may hold up one of them for longer.
    assert.ok(medianMs < RELOAD_MS, `the median of ${reloadsMs.length} reloads took ${medianMs} ms`);
  });

  for (const helm of HELMS) {
    test(`decides for ${helm}: versions.range refuses an upgrade and names the policy`, async () => {
      const release = `ranged-${helm}`;
      const run = (args: readonly string[]) => plane[helm]([...args, '-n', namespace], { as: ci });
      succeeds(await run(['install', release, SHOP]));
      succeeds(
        await writePolicy(plane, 'stay-on-1', { match: { releases: ['ranged-*'] }, versions: { range: '1.x' } }),
      );
      await readyOf(plane, 'stay-on-1');
      await sleep(RELOAD_MS);
      isDenied(
        await run(['upgrade', release, await chartOf('2.0.0')]),
        'BelayPinned',
        /1\.x/,
        /ReleasePolicy stay-on-1/,
      );
      succeeds(await run(['upgrade', release, await chartOf('1.9.0')]));
      succeeds(await writePolicy(plane, 'stay-on-1', { versions: { range: '1.x', action: 'Warn' } }));
      await sleep(RELOAD_MS);
      const { stderr } = await run(['upgrade', release, await chartOf('2.0.0')]);
      assert.match(stderr, /1\.x/);
    });
  }

  test('may say Off as people write it, without quotes, though that is a boolean to YAML', async () => {
    const head = 'apiVersion: belay.dev/v1alpha1\nkind: ReleasePolicy\nmetadata: {name: default}\n';
    succeeds(await plane.kubectl(['apply', '-f', '-'], { input: `${head}spec: {drift: {action: Off}}` }));
    await waitUntilEverywhere('passes');
  });

  test('may be written by administrators of the cluster alone, and read by whoever may view it', async () => {
    const viewer = await plane.user('viewer');
    succeeds(await plane.kubectl(['create', 'clusterrolebinding', 'viewer', '--clusterrole=view', '--user=viewer']));
    succeeds(await writePolicy(plane, 'default', {}));
    const status = [
      'patch',
      'rpol',
      'default',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"matchedReleases":9}}',
    ];
    for (const as of [dev, viewer]) {
      fails(await writePolicy(plane, 'mine', { drift: { action: 'Off' } }, { as }), /forbidden/i);
      fails(await writePolicy(plane, 'default', { drift: { action: 'Off' } }, { as }), /forbidden/i);
      fails(await plane.kubectl(['delete', 'rpol', 'default'], { as }), /forbidden/i);
      fails(await plane.kubectl(status, { as }), /forbidden/i);
    }
    fails(await plane.kubectl(['get', 'rpol'], { as: dev }), /forbidden/i);
    await waitUntil('view is aggregated', async () => {
      const { code } = await plane.kubectl(['get', 'rpol', 'default'], { as: viewer });
      return code === 0 || undefined;
    });
    const belay = await plane.serviceAccountKubeconfig('belay-system', 'belay');
    fails(await writePolicy(plane, 'default', { drift: { action: 'Off' } }, { as: belay }), /forbidden/i);
  });

  test('of the highest priority alone is in force; of equals, the first by name; each says how many releases it has', async () => {
    const lenient = { drift: { action: 'Off' } };
    succeeds(await writePolicy(plane, 'default', {}));
    assert.ok(await isBuiltIn());
    const all = Object.values(await waitForCounts(plane, { default: () => true })).reduce<number>(
      (a, b) => a + (b ?? 0),
      0,
    );
    assert.ok(all >= 2);

    succeeds(await writePolicy(plane, 'b-lenient', { ...lenient, priority: 10, match: { releases: ['web-*'] } }));
    await waitUntilEverywhere('passes');
    succeeds(await writePolicy(plane, 'c-severe', { priority: 10 }));
    await readyOf(plane, 'c-severe');
    assert.ok(await isEverywhere('passes'));
    succeeds(await writePolicy(plane, 'a-severe', { priority: 10, match: { releases: ['web-helm3'] } }));
    await waitUntilEverywhere('is refused');
    const counts = await waitForCounts(plane, {
      'a-severe': (count) => count === 1,
      'b-lenient': (count) => count === 1,
      'c-severe': (count) => count === all - 2,
      default: (count) => count === 0,
    });
    assert.equal(Object.keys(counts).length, 4);
    const tie = await waitUntil('the tie is told', async () => {
      const { message } = await readyOf(plane, 'a-severe');
      return message.includes('b-lenient, c-severe') ? message : undefined;
    });
    assert.match(
      tie,
      /Of the same priority: b-lenient, c-severe; where several match, the first by name is in force, here this one\./,
    );

    const printed = succeeds(await plane.kubectl(['get', 'rpol']));
    assert.match(printed, /^NAME +PRIORITY +READY +RELEASES .*AGE/);
    assert.match(printed, /^a-severe +10 +True +1 /m);
    assert.match(printed, /^default +True +0 /m);

    succeeds(await plane.kubectl(['delete', 'rpol', 'a-severe', 'c-severe']));
    await waitUntilEverywhere('passes');
    await waitForCounts(plane, { 'b-lenient': (count) => count === 2, default: (count) => count === all - 2 });
  });

  test('chooses namespaces by their labels, and follows them', async () => {
    const spec = { match: { namespaceSelector: { matchLabels: { guard: 'no' } } }, drift: { action: 'Off' } };
    succeeds(await writePolicy(plane, 'unguarded', spec));
    await waitForCounts(plane, { unguarded: (count) => count === 0 });
    assert.ok(await isBuiltIn());
    succeeds(await plane.kubectl(['label', 'namespace', namespace, 'guard=no']));
    await waitUntilEverywhere('passes');
    await waitForCounts(plane, { unguarded: (count) => (count ?? 0) >= 2 });
    succeeds(await plane.kubectl(['label', 'namespace', namespace, 'guard-']));
    await waitUntilEverywhere('is refused');
  });

  test('has a status that two replicas agree on: nobody writes it while nothing changes', async () => {
    succeeds(await writePolicy(plane, 'default', {}));
    await waitForCounts(plane, { default: (count) => (count ?? 0) >= 2 });
    const version = () => plane.api.field('releasepolicy/default', '.metadata.resourceVersion');
    const before = await version();
    await sleep(3 * SHORT_INTERVALS.policyStatus.countEveryMs); // each has counted anew by then
    assert.equal(await version(), before);
  });
});

/** What is wrong, and the field that the answer must name; the last one only Belay can tell. */
const BAD: readonly (readonly [what: string, spec: unknown, field: RegExp, by?: 'Belay'])[] = [
  ['a priority that is a word', { priority: 'high' }, /spec\.priority/],
  ['an action that there is not', { drift: { action: 'Refuse' } }, /spec\.drift\.action.*supported values/],
  ['a field that there is not', { drift: { ignor: [] } }, /unknown field "spec\.drift\.ignor"/],
  [
    'a ServiceAccount without a namespace',
    { drift: { trusted: [{ kind: 'ServiceAccount', name: 'velero' }] } },
    /spec\.drift\.trusted\[0\]\.namespace/,
  ],
  ['too short a duration', { operations: { staleAfter: '1s' } }, /spec\.operations\.staleAfter/],
  [
    'a path that is no JSON Pointer',
    { drift: { ignore: [{ kind: 'X', paths: ['spec'] }] } },
    /spec\.drift\.ignore\[0\]\.paths\[0\]/,
  ],
  ['a range that is not SemVer', { versions: { range: 'soon' } }, / {2}spec\.versions\.range: "soon"/, 'Belay'],
];

describe('a bad policy is refused when it is written, with the path of the field', () => {
  afterEach(() => deletePolicies());

  for (const [what, spec, field, by] of BAD) {
    test(what, async () => {
      const created = await writePolicy(plane, 'bad', spec);
      if (by === 'Belay') isDenied(created, 'BelayBadPolicy', field);
      else fails(created, field);
      succeeds(await writePolicy(plane, 'bad', {}));
      fails(await writePolicy(plane, 'bad', spec), field);
    });
  }
});

describe('a policy that got in while Belay was down', () => {
  const severe = { drift: { action: 'Deny' }, priority: 1 };
  const broken = { drift: { action: 'Off' }, versions: { range: 'soon' }, priority: 1 };
  const whileDown = async (write: () => Promise<void>): Promise<void> => {
    await plane.belay.stop('SIGKILL');
    await write();
    await plane.belay.start();
  };

  after(() => deletePolicies());

  test('and cannot be read is ignored and says so; the version before stays in force, over a restart too', async () => {
    succeeds(await writePolicy(plane, 'default', { drift: { action: 'Off' } }));
    succeeds(await writePolicy(plane, 'edited', severe));
    assert.equal((await readyOf(plane, 'edited')).verdict, 'True Accepted');
    await waitUntilEverywhere('is refused');

    await whileDown(async () => {
      succeeds(await writePolicy(plane, 'edited', broken));
      succeeds(await writePolicy(plane, 'new', { ...broken, priority: 2 }));
    });
    assert.ok(await isEverywhere('is refused'));
    const edited = await readyOf(plane, 'edited');
    assert.equal(edited.verdict, 'False Invalid');
    assert.match(edited.message, /spec\.versions\.range: "soon" .*generation 1 stays in force/);
    const added = await readyOf(plane, 'new');
    assert.equal(added.verdict, 'False Invalid');
    assert.match(added.message, /spec\.versions\.range: .*This policy is ignored\./);
    assert.match(succeeds(await plane.kubectl(['get', 'rpol'])), /^new +2 +False +0 /m);
  });

  test('may still be labelled, and takes effect once it is corrected', async () => {
    succeeds(await plane.kubectl(['label', 'rpol', 'new', 'team=blue']));
    isDenied(await writePolicy(plane, 'new', { ...broken, priority: 3 }), 'BelayBadPolicy', /spec\.versions\.range/);
    succeeds(await writePolicy(plane, 'new', { drift: { action: 'Off' }, priority: 2 }));
    await waitUntilEverywhere('passes');
    assert.equal((await readyOf(plane, 'new')).verdict, 'True Accepted');
    succeeds(await plane.kubectl(['delete', 'rpol', 'new']));
    await waitUntilEverywhere('is refused');
  });
});

describe('without the CRD', () => {
  const linesAbout = async (text: string): Promise<number> => {
    const logs = await Promise.all(plane.belay.replicas.map(({ log }) => readFile(log, 'utf8')));
    return logs
      .join('\n')
      .split('\n')
      .filter((line) => line.includes(text)).length;
  };

  test('policies end when it is deleted, and hold again within seconds when it comes back', async () => {
    succeeds(await writePolicy(plane, 'default', { drift: { action: 'Off' } }));
    await waitUntilEverywhere('passes');
    succeeds(await plane.kubectl(['delete', 'crd', 'releasepolicies.belay.dev']));
    await waitUntilEverywhere('is refused', 5_000);
    const told = await linesAbout('releasepolicies');
    await sleep(5_000);
    assert.ok(
      (await linesAbout('releasepolicies')) - told <= 2 * plane.belay.replicas.length,
      'it says so again and again',
    );

    // Started without it, Belay is ready (start() resolves only then) and guards.
    await plane.belay.stop('SIGKILL');
    await plane.belay.start();
    assert.ok(await isBuiltIn());

    succeeds(await plane.kubectl(['apply', '-f', crd]));
    succeeds(await plane.kubectl(['wait', '--for=condition=Established', 'crd/releasepolicies.belay.dev']));
    succeeds(await writePolicy(plane, 'default', { drift: { action: 'Off' } }));
    await waitUntilEverywhere('passes', 5_000);
    await deletePolicies();
  });
});

describe('the default policy', () => {
  test('is applied after the base, sets nothing, and changes nothing', async () => {
    for (let again = 0; again < 2; again += 1)
      succeeds(await plane.kubectl(['apply', '-k', join(manifests, 'policies')]));
    assert.equal((await readyOf(plane, 'default')).verdict, 'True Accepted');
    assert.equal(await plane.api.field('releasepolicy/default', '.spec'), '{}');
    assert.ok(await isBuiltIn());
    await deletePolicies();
  });
});

describe('from the built-in defaults to a policy and back, to and fro, while releases are written', () => {
  type Judged = { readonly startMs: number; readonly endMs: number; readonly what: string; readonly said: string };
  type Mode = 'built-in' | 'Deny' | 'Audit';
  /** The built-in policy refuses drift, and has no range of versions. */
  const PASSES: Record<Mode, (what: string) => boolean> = {
    'built-in': (what) => what !== 'patch',
    Deny: () => false,
    Audit: () => true,
  };

  const specOf = (action: 'Deny' | 'Audit') => ({
    match: { releases: ['loaded-*'] },
    drift: { action, ignore: [{ kind: 'ConfigMap', paths: ['/data/IGNORED'] }] },
    versions: { action, range: '1.x' },
  });

  /** Whether each replica judges by this mode. The built-in policy ignores nothing; Deny and Audit ignore one key. */
  const isInForce = async (mode: Mode): Promise<boolean> => {
    const wanted = { 'built-in': 'refused refused', Deny: 'refused passes', Audit: 'passes passes' }[mode];
    for (let connection = 0; connection < 2 * plane.belay.replicas.length; connection += 1) {
      const client = createApi(connect(dev, Date.now));
      const seen = [await drift('loaded-a', client), await drift('loaded-a', client, 'IGNORED')];
      if (seen.map((said) => (isRefused(said) ? 'refused' : 'passes')).join(' ') !== wanted) return false;
    }
    return true;
  };

  before(async () => {
    for (const name of ['a', 'b', 'c'])
      succeeds(await plane.helm4(['install', `loaded-${name}`, SHOP, '-n', namespace], { as: ci }));
    for (const helm of HELMS)
      succeeds(await plane[helm](['install', `loaded-${helm}`, SHOP, '-n', namespace], { as: ci }));
  });
  after(() => deletePolicies());

  test('every decision fits what was in force, and none fails', async () => {
    const judged: Judged[] = [];
    /** From when the write of the policy began until each replica was seen to judge by it. */
    const flips: { readonly atMs: number; readonly inForceMs: number; readonly mode: Mode }[] = [];
    flips.push({ atMs: performance.now(), inForceMs: performance.now(), mode: 'built-in' });
    let stopped = false;
    const note = async (what: string, attempt: () => Promise<string>): Promise<void> => {
      const startMs = performance.now();
      const said = await attempt();
      judged.push({ startMs, endMs: performance.now(), what, said });
    };
    const patching = ['a', 'b', 'c'].map(async (name) => {
      while (!stopped) await note('patch', () => drift(`loaded-${name}`));
    });
    const two = await chartOf('2.0.0');
    const upgrading = HELMS.map(async (helm) => {
      while (!stopped) {
        await note(helm, async () => {
          const { code, stdout, stderr } = await plane[helm](['upgrade', `loaded-${helm}`, two, '-n', namespace], {
            as: ci,
          });
          return code === 0 ? '' : `${stdout}${stderr}`;
        });
      }
    });
    const flip = async (mode: Mode): Promise<void> => {
      const atMs = performance.now();
      if (mode === 'built-in') await deletePolicies();
      else succeeds(await writePolicy(plane, 'switched', specOf(mode)));
      await waitUntil(`${mode} is in force at each replica`, async () => (await isInForce(mode)) || undefined);
      const inForceMs = performance.now();
      flips.push({ atMs, inForceMs, mode });
      const isWritten = (what: string): boolean => judged.some((one) => one.what === what && one.startMs >= inForceMs);
      await waitUntil(
        `something of each kind is written under ${mode}`,
        async () => ['patch', ...HELMS].every(isWritten) || undefined,
      );
    };
    const turns = ['Deny', 'Audit', 'Deny', 'built-in', 'Audit', 'built-in'] as const;
    for (const mode of [...turns, ...turns]) await flip(mode);
    stopped = true;
    await Promise.all([...patching, ...upgrading]);

    // A decision may go by any policy that was in force between its question and its answer; by the one before, until each replica was seen to
    // go by the next one.
    const modesOf = ({ startMs, endMs }: Judged): ReadonlySet<Mode> =>
      new Set(
        flips
          .filter(
            ({ atMs }, index) => atMs <= endMs && (flips[index + 1]?.inForceMs ?? Number.POSITIVE_INFINITY) >= startMs,
          )
          .map(({ mode }) => mode),
      );
    for (const decision of judged) {
      const { what, said } = decision;
      const isPassed = said === '';
      if (!isPassed) assert.match(said, what === 'patch' ? /^403 .*\[BelayDrift\]/s : /\[BelayPinned\]/);
      const modes = [...modesOf(decision)];
      assert.ok(
        modes.some((mode) => PASSES[mode](what) === isPassed),
        `${what} was ${isPassed ? 'let pass' : 'refused'} under ${modes.join(' or ')}: ${JSON.stringify(decision)}`,
      );
    }
    const passed = judged.filter(({ said }) => said === '').length;
    const slowestMs = Math.max(...flips.map(({ atMs, inForceMs }) => inForceMs - atMs));
    console.log(
      `# ${judged.length} decisions over ${flips.length - 1} switches, ${passed} of them let pass; the slowest switch took ${Math.round(slowestMs)} ms`,
    );
    for (const what of ['patch', ...HELMS])
      for (const outcome of [true, false])
        assert.ok(
          judged.some((one) => one.what === what && (one.said === '') === outcome),
          `${what} was never ${outcome ? 'let pass' : 'refused'}`,
        );
  });
});

describe('the overlay audit', () => {
  let audited: ControlPlane;
  before(async () => {
    audited = await startControlPlane({ quiet: true, helm: ['helm4'], belay: { overlay: 'audit' } });
  });
  after(() => audited?.stop());

  test('observes: what Deny would refuse passes, until the default policy takes its place', async () => {
    await makeNamespace(audited, namespace, { admins: ['dev'] });
    const as = await audited.user('dev');
    succeeds(await audited.helm4(['install', 'web', SHOP, '-n', namespace]));
    const setImage = (tag: string) =>
      audited.kubectl(['set', 'image', 'deployment/web', `web=nginx:${tag}`, '-n', namespace], { as });
    const result = await setImage('1.28');
    succeeds(result);
    assert.doesNotMatch(result.stderr, /Warning/);
    // Lines are written some time after the answer.
    await waitUntil('the log says what would have been refused', async () => {
      const log = await readFile(audited.belay.replicas[0]?.log ?? '', 'utf8');
      return log.includes('BelayDrift') || undefined;
    });
    succeeds(await audited.kubectl(['apply', '-k', join(manifests, 'policies')]));
    await waitUntil('Belay enforces', async () => ((await setImage('1.29')).code !== 0 ? true : undefined), {
      timeoutMs: 10_000,
    });
    succeeds(await audited.kubectl(['apply', '-k', join(manifests, 'overlays', 'audit')]));
    await waitUntil('Belay observes', async () => ((await setImage('1.30')).code === 0 ? true : undefined), {
      timeoutMs: 10_000,
    });
  });
});

describe('the overlay strict', () => {
  let strict: ControlPlane;
  before(async () => {
    strict = await startControlPlane({ quiet: true, helm: ['helm4'], belay: { overlay: 'strict' } });
  });
  after(() => strict?.stop());

  test('differs from the base in the failurePolicy of four webhooks alone', async () => {
    const rendered = async (dir: string) => succeeds(await strict.kubectl(['kustomize', join(manifests, dir)]));
    const [base, overlay] = [await rendered('base'), await rendered('overlays/strict')];
    const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    for (const pattern of [
      /^ {2}name: .*\.belay\.dev$/gm,
      /^ {4}resources:$/gm,
      /expression:/g,
      /path: \/(validate|mutate)$/gm,
    ])
      assert.equal(count(overlay, pattern), count(base, pattern), String(pattern));
    assert.equal(count(base, /failurePolicy: Ignore/g) - count(overlay, /failurePolicy: Ignore/g), 4);
    const policies = await strict.kubectl([
      'get',
      'validatingwebhookconfiguration',
      'belay',
      '-o',
      'jsonpath={range .webhooks[*]}{.name}={.failurePolicy} {end}',
    ]);
    const found = Object.fromEntries(
      succeeds(policies)
        .trim()
        .split(' ')
        .map((pair) => pair.split('=')),
    );
    assert.deepEqual(found, {
      'records.belay.dev': 'Fail',
      'record-names.belay.dev': 'Fail',
      'objects.belay.dev': 'Fail',
      'subresources.belay.dev': 'Fail',
      'hooks.belay.dev': 'Fail',
      'scale.belay.dev': 'Fail',
      'namespaces.belay.dev': 'Fail',
      'namespace-deletes.belay.dev': 'Ignore',
      'claims.belay.dev': 'Fail',
      'policies.belay.dev': 'Ignore',
    });
  });

  test('while Belay is down nothing that a release manages changes, and everything else does', async () => {
    succeeds(await strict.helm4(['install', 'web', SHOP, '-n', namespace, '--create-namespace']));
    await strict.belay.stop('SIGKILL');
    const run = (args: readonly string[]) => strict.kubectl([...args, '-n', namespace]);
    const noAnswer = /failed calling webhook "(objects|scale)\.belay\.dev"/;
    fails(await run(['set', 'image', 'deployment/web', 'web=nginx:1.28']), noAnswer);
    fails(await run(['scale', 'deployment/web', '--replicas=3']), noAnswer);
    fails(await run(['delete', 'service', 'web']), noAnswer);
    succeeds(await run(['create', 'configmap', 'mine', '--from-literal=a=b']));
    succeeds(await run(['delete', 'configmap', 'mine']));
    await strict.belay.start();
    isDenied(await run(['set', 'image', 'deployment/web', 'web=nginx:1.28']), 'BelayDrift');
  });
});
