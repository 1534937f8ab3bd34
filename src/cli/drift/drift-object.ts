import type { DriftedField, ObjectDrift, ReleaseDrift } from '../../drift/findings.ts';

/** The output of `-o json` and `-o yaml`. */

const HIDDEN = '(hidden)';

const field = ({ path, pointer, before, after, secret, writer }: DriftedField): object => ({
  path,
  pointer,
  ...(before !== undefined && { chart: secret ? HIDDEN : before }),
  ...(after !== undefined && { live: secret ? HIDDEN : after }),
  ...(writer !== undefined && {
    writer: writer.manager,
    ...(writer.atMs !== undefined && { writtenAt: new Date(writer.atMs).toISOString() }),
  }),
});

const object = ({ object: ref, apiVersion, problem, keep, changed, added }: ObjectDrift): object => ({
  apiVersion,
  kind: ref.kind,
  ...(ref.namespace !== '' && { namespace: ref.namespace }),
  name: ref.name,
  drift: problem,
  ...(keep && { keep }),
  ...(changed.length > 0 && { changed: changed.map(field) }),
  ...(added.length > 0 && { added: added.map(field) }),
});

export const driftObject = (found: ReleaseDrift): object => {
  const { namespace, name } = found.release;
  const about = { apiVersion: 'belay.dev/v1alpha1', kind: 'ReleaseDrift', metadata: { name, namespace } };
  if (!found.checked) return { ...about, checked: false, reason: found.why };
  return {
    ...about,
    checked: true,
    revision: found.governing.revision,
    chart: found.chart,
    objects: found.listed,
    drifted: found.drifted.map(object),
    unchecked: found.unchecked.map(({ object: ref, why, detail }) => ({ ...ref, reason: why, detail })),
  };
};
