import { fetch } from 'undici';
import { createApi, type WatchEvent } from '../../src/kubernetes/api.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { type ControlPlane, startControlPlane } from '../cluster/harness/control-plane.ts';
import { HELMS, type Helm, makeNamespace, readRecord, SHOP, succeeds } from '../cluster/support/asking.ts';
import { payloadIn } from '../memory/record.ts';
import { HELM_COMMANDS, type RecordedCommand } from './helm-commands.ts';
import { isWrite, lineOf, withSortedDeletes } from './line-of.ts';
import { type ReviewRecorder, startReviewRecorder } from './review-recorder.ts';
import { type Answerer, type RecordedExchange, runExchanges } from './run-exchanges.ts';

/** What the real ones did: an API server asked one request after the other, and each Helm given one command after the other. */
export interface Recording {
  readonly exchanges: readonly RecordedExchange[];
  readonly helm: Readonly<Record<Helm, HelmRecording>>;
}

export interface HelmRecording {
  readonly commands: readonly RecordedCommand[];
  /** The stored payload of a first install, without what differs from one time to the next. */
  readonly payload: unknown;
}

/** How long a watch is listened to; what has happened before it began comes at once. */
const WATCH_SECONDS = 2;

const realAnswerer = (plane: ControlPlane, recorder: ReviewRecorder): Answerer => {
  const connection = connect(plane.adminKubeconfig, Date.now);
  const api = createApi(connection);
  return {
    answer: async ({ method = 'GET', path, query = {}, body, contentType = 'application/json', accept }) => {
      const url = new URL(connection.server + path);
      for (const [key, value] of Object.entries(query))
        if (value !== undefined) url.searchParams.set(key, String(value));
      const response = await fetch(url, {
        method,
        headers: {
          ...(await connection.headers()),
          accept: accept ?? 'application/json',
          'user-agent': 'recording',
          ...(body !== undefined && { 'content-type': contentType }),
        },
        dispatcher: connection.dispatcher,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} };
    },
    watch: async ({ path, query, accept }) => {
      const events: WatchEvent[] = [];
      const signal = AbortSignal.timeout(2 * WATCH_SECONDS * 1000);
      const timed = { ...query, timeoutSeconds: WATCH_SECONDS };
      for await (const event of api.watch({ path, query: timed, signal, ...(accept !== undefined && { accept }) })) {
        events.push(event);
      }
      return events;
    },
    reviews: () => recorder.take('belay-test-admin'),
  };
};

const toArgs = (helm: Helm, typed: string): readonly string[] =>
  typed
    .split(' ')
    .map((word) => (word === 'SHOP' ? SHOP : word))
    .map((word) => (word === 'ATOMIC' ? (helm === 'helm3' ? '--atomic' : '--rollback-on-failure') : word));

const recordHelm = async (plane: ControlPlane, helm: Helm): Promise<HelmRecording> => {
  const namespace = `orders-${helm}`;
  await makeNamespace(plane, namespace, { editors: ['ci'] });
  const ci = await plane.user('ci');
  const recorder = await startReviewRecorder(createApi(connect(plane.adminKubeconfig, Date.now)), namespace);
  try {
    const commands: RecordedCommand[] = [];
    let payload: unknown;
    for (const { typed } of HELM_COMMANDS) {
      const { code } = await plane[helm]([...toArgs(helm, typed), '-n', namespace], { as: ci });
      commands.push({
        typed,
        ok: code === 0,
        writes: withSortedDeletes(recorder.take('ci').filter(isWrite).map(lineOf)),
      });
      payload ??= payloadIn(await readRecord(plane, namespace, 'sh.helm.release.v1.web.v1'));
    }
    return { commands, payload: withoutTemplates(payload) };
  } finally {
    recorder.stop();
    await plane.kubectl(['delete', 'validatingwebhookconfiguration', 'recorder']);
  }
};

/** Templates and files are the chart's own, and times differ. */
const withoutTemplates = (payload: unknown): unknown => {
  const { info, chart, ...rest } = payload as { info: object; chart: { metadata: object } };
  const names = (of: object): readonly string[] => Object.keys(of).sort();
  return { ...rest, info: names(info), chart: { metadata: chart.metadata, fields: names(chart) } };
};

/** Without controllers: nobody else writes. */
const recordExchanges = async (): Promise<readonly RecordedExchange[]> => {
  const plane = await startControlPlane({ controllers: false, helm: [], quiet: true });
  try {
    // By kubectl, whose name the recording has as the manager of the Namespace's fields.
    succeeds(await plane.kubectl(['create', 'namespace', 'shop']));
    // kubectl itself makes no role for a resource that no API server knows.
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'lock', namespace: 'shop' },
    };
    succeeds(await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify({ ...role, rules: LOCK_RULES }) }));
    succeeds(await plane.kubectl(['create', 'rolebinding', 'lock', '-n', 'shop', '--role=lock', '--user=ann']));
    const recorder = await startReviewRecorder(createApi(connect(plane.adminKubeconfig, Date.now)), 'shop');
    return await runExchanges(realAnswerer(plane, recorder)).finally(() => recorder.stop());
  } finally {
    await plane.stop();
  }
};

export const recordReal = async (): Promise<Recording> => {
  const exchanges = await recordExchanges();
  // With pods: what waits, as a rollback of `--atomic` does, waits until they are ready.
  const plane = await startControlPlane({ pods: true, quiet: true });
  try {
    const [helm3, helm4] = [await recordHelm(plane, HELMS[0]), await recordHelm(plane, HELMS[1])];
    return { exchanges, helm: { helm3, helm4 } };
  } finally {
    await plane.stop();
  }
};

const LOCK_RULES = [{ apiGroups: ['belay.dev'], resources: ['releases'], verbs: ['lock'] }];
