import { isMap, type JsonMap, own } from './json.ts';

/**
 * The chart's document as the cluster stores it: with the ownership label and annotations, which Helm adds after it has stored the
 * manifest (helm.sh/helm `setMetadataVisitor`), and with a Secret's `stringData` as `data`.
 */
export const chartShape = (
  document: JsonMap,
  release: { readonly releaseName: string; readonly releaseNamespace: string },
  isSecret: boolean,
): JsonMap => {
  const metadata = mapOr(own(document, 'metadata'));
  const shape: Record<string, unknown> = {
    ...document,
    metadata: {
      ...metadata,
      labels: { ...mapOr(own(metadata, 'labels')), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...mapOr(own(metadata, 'annotations')),
        'meta.helm.sh/release-name': release.releaseName,
        'meta.helm.sh/release-namespace': release.releaseNamespace,
      },
    },
  };
  if (isSecret) {
    shape.data = { ...oneLine(own(document, 'data')), ...encoded(own(document, 'stringData')) };
    delete shape.stringData;
  } else if (isMap(own(document, 'binaryData'))) {
    shape.binaryData = oneLine(own(document, 'binaryData'));
  }
  return shape;
};

const mapOr = (value: unknown): JsonMap => (isMap(value) ? value : {});

/** Removes line breaks from base64: charts wrap it, and the API server does not. */
const oneLine = (values: unknown): JsonMap =>
  mapValues(values, (value) => (/\s/.test(value) ? value.replace(/\s+/g, '') : value));

const encoded = (values: unknown): JsonMap => mapValues(values, (value) => Buffer.from(value).toString('base64'));

const mapValues = (values: unknown, change: (value: string) => string): JsonMap =>
  Object.fromEntries(
    Object.entries(mapOr(values)).map(([key, value]) => [key, typeof value === 'string' ? change(value) : value]),
  );
