/** The Secret that all replicas share. The replica that writes it first decides. The others take what it holds. */
import { type Api, isNotFound, pathOf } from '../kubernetes/api.ts';
import { type StoredCertificates, stageOf } from './assess.ts';

/** People set it, to any value, to ask for a new authority. Belay removes it when the new authority is published. */
export const ROTATE_ANNOTATION = 'belay.dev/rotate';

/** The stage of a rotation, for people only. Belay reads the stage from the data. */
export const STAGE_ANNOTATION = 'belay.dev/rotation-stage';

/** The Secret as it was read. `replace` wants it back. */
export interface Found {
  readonly contents: StoredCertificates;
  readonly secret: unknown;
}

/** `create` and `replace` reject with a conflict (see `isConflict`) when somebody else was first. */
export interface Store {
  read(signal?: AbortSignal): Promise<Found | undefined>;
  create(contents: StoredCertificates, signal?: AbortSignal): Promise<void>;
  replace(found: Found, contents: StoredCertificates, signal?: AbortSignal): Promise<void>;
}

interface Secret {
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

const KEYS = {
  cert: 'tls.crt',
  key: 'tls.key',
  ca: 'ca.crt',
  caKey: 'ca.key',
  nextCa: 'next-ca.crt',
  nextCaKey: 'next-ca.key',
} as const satisfies Readonly<Record<Exclude<keyof StoredCertificates, 'rotate'>, string>>;

const readContents = ({ data, metadata }: Secret): StoredCertificates => {
  const text = (key: string): string | undefined => {
    const value = data?.[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
  };
  return {
    ca: text(KEYS.ca),
    cert: text(KEYS.cert),
    key: text(KEYS.key),
    caKey: text(KEYS.caKey),
    nextCa: text(KEYS.nextCa),
    nextCaKey: text(KEYS.nextCaKey),
    rotate: metadata.annotations?.[ROTATE_ANNOTATION] !== undefined,
  };
};

const toData = (contents: StoredCertificates): Record<string, string> =>
  Object.fromEntries(
    Object.entries(KEYS).flatMap(([field, key]) => {
      const value = contents[field as keyof typeof KEYS];
      return value === undefined ? [] : [[key, Buffer.from(value, 'utf8').toString('base64')]];
    }),
  );

const annotationsFor = (contents: StoredCertificates, old: Readonly<Record<string, string>> = {}) => {
  const { [ROTATE_ANNOTATION]: rotate, [STAGE_ANNOTATION]: _stage, ...others } = old;
  return {
    ...others,
    ...(contents.rotate === true && rotate !== undefined && { [ROTATE_ANNOTATION]: rotate }),
    [STAGE_ANNOTATION]: stageOf(contents),
  };
};

export const createStore = (api: Api, namespace: string, name: string): Store => {
  const collection = pathOf('api', 'v1', 'namespaces', namespace, 'secrets');
  const path = `${collection}/${encodeURIComponent(name)}`;
  const until = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
  return {
    async read(signal) {
      try {
        const secret = await api.request<Secret>({ path, ...until(signal) });
        return { contents: readContents(secret), secret };
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async create(contents, signal) {
      const metadata = {
        name,
        labels: { 'app.kubernetes.io/name': 'belay' },
        annotations: annotationsFor(contents),
      };
      const body = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data: toData(contents) };
      await api.request({ method: 'POST', path: collection, body, ...until(signal) });
    },
    async replace(found, contents, signal) {
      const secret = found.secret as Secret;
      const metadata = { ...secret.metadata, annotations: annotationsFor(contents, secret.metadata.annotations) };
      // This PUT has the resourceVersion that was read. The API server refuses it when somebody has written in between.
      const body = { ...secret, metadata, data: toData(contents) };
      await api.request({ method: 'PUT', path, body, ...until(signal) });
    },
  };
};
