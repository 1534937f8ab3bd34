import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { isDenied, succeeds, untouched } from '../../memory/asking.ts';
import type { Outcome, Person } from '../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../memory/plane.ts';

/** Who may write a lock on a record or a Namespace, who may lift it, and what it has to hold. */

const FREEZE = 'belay.dev/freeze';
const UNTIL = 'belay.dev/freeze-until';
const HOUR_MS = 3_600_000;
type Annotations = Readonly<Record<string, string | null>>;

let plane: MemoryPlane;
let dev: Person;
let sre: Person;
let owner: Person;

const start = async (): Promise<void> => {
  plane = await memoryPlane();
  dev = plane.as('dev');
  sre = plane.as('sre', 'admin');
  owner = plane.as('owner');
  plane.grant('owner', ['unlock', 'open'], 'web');
  for (const release of ['web', 'api']) succeeds(await plane.helm.install(release));
};
const annotate = (who: Person, release: string, annotations: Annotations): Promise<Outcome> =>
  who.annotate(`secret/sh.helm.release.v1.${release}.v1`, annotations);
const later = (ms: number): string => plane.clock.time(ms);

describe('a freeze', () => {
  beforeEach(start);
  afterEach(() => plane.stop());

  test('is written by edit, and lifted by admin or by a user with the right to this release', async () => {
    for (const release of ['web', 'api'])
      succeeds(await annotate(dev, release, { [FREEZE]: 'audit', [UNTIL]: later(HOUR_MS) }));
    const forbidden = async (who: Person, name: string, release: string, annotations: Annotations) =>
      isDenied(
        await untouched(plane, () => annotate(who, release, annotations)),
        'BelayLockForbidden',
        new RegExp(`${name} may not unlock release ${release}`),
        /needed: verb unlock on releases\.belay\.dev/,
      );
    await forbidden(dev, 'dev', 'web', { [FREEZE]: null });
    await forbidden(dev, 'dev', 'web', { [FREEZE]: null, [UNTIL]: null });
    await forbidden(plane.as('ci'), 'ci', 'web', { [UNTIL]: later(600_000) });
    await forbidden(owner, 'owner', 'api', { [FREEZE]: null });
    // Longer is stronger.
    succeeds(await annotate(dev, 'web', { [UNTIL]: later(2 * HOUR_MS) }));
    succeeds(await annotate(owner, 'web', { [FREEZE]: null, [UNTIL]: null }));
    assert.deepEqual(await plane.locks('web'), [{}]);
    isDenied(await annotate(plane.as('outsider', 'none'), 'web', { [FREEZE]: 'x' }), 'BelayLockForbidden');
  });

  test('is not lifted by a replace of the record without its annotations', async () => {
    succeeds(await annotate(dev, 'web', { [FREEZE]: 'audit' }));
    const { metadata: { annotations: _annotations, ...metadata } = {}, ...record } = await dev.get(
      'secret/sh.helm.release.v1.web.v1',
    );
    isDenied(await untouched(plane, () => dev.replace({ ...record, metadata })), 'BelayLockForbidden');
  });

  test('says who froze, and that cannot be forged', async () => {
    const by = async (): Promise<unknown> => (await plane.locks('web'))[0]?.['belay.dev/freeze-by'];
    const forge = { 'belay.dev/freeze-by': 'ceo' };
    await annotate(dev, 'web', { [FREEZE]: 'mine', ...forge });
    assert.equal(await by(), 'dev');
    await annotate(dev, 'web', forge);
    assert.equal(await by(), 'dev');
    await annotate(dev, 'web', { 'belay.dev/freeze-by': null });
    assert.equal(await by(), 'dev');
    // As Helm writes: with the label that it moves at every write.
    const record = 'secret/sh.helm.release.v1.web.v1';
    await dev.patch(record, { metadata: { labels: { modifiedAt: '1' }, annotations: forge } });
    assert.equal(await by(), 'dev');
    succeeds(await annotate(sre, 'web', { [FREEZE]: null }));
    await dev.patch(record, { metadata: { labels: { modifiedAt: '2' }, annotations: { [FREEZE]: 'x', ...forge } } });
    assert.equal(await by(), 'dev');
  });

  test('leaves an Event and an audit annotation, and so does its end', async () => {
    succeeds(await annotate(dev, 'web', { [FREEZE]: 'audit' }));
    assert.equal(plane.asked.at(-1)?.response.auditAnnotations?.lock, 'belay.dev/freeze="audit"');
    succeeds(await annotate(sre, 'web', { [FREEZE]: null }));
    const told = (await plane.events()).map(({ reason, message }) => `${reason}: ${message}`);
    assert.ok(told.some((text) => text.startsWith('ReleaseLocked: dev wrote belay.dev/freeze="audit"')));
    assert.ok(told.some((text) => text.startsWith('ReleaseUnlocked: sre wrote belay.dev/freeze-')));
  });
});

describe('a pin', () => {
  beforeEach(start);
  afterEach(() => plane.stop());

  test('is written by edit, and neither lifted nor widened by it', async () => {
    succeeds(await annotate(dev, 'web', { 'belay.dev/pin': '1.4.x' }));
    for (const pin of [null, '*'])
      isDenied(await untouched(plane, () => annotate(dev, 'web', { 'belay.dev/pin': pin })), 'BelayLockForbidden');
    succeeds(await annotate(sre, 'web', { 'belay.dev/pin': null }));
  });

  test('that is longer than any range of versions is refused before it is read', async () => {
    const pin = Array.from({ length: 5_000 }, (_, i) => `1.${i}`).join('||');
    isDenied(await annotate(dev, 'web', { 'belay.dev/pin': pin }), 'BelayBadLock', /longer than/);
  });
});

describe('a lock that cannot be read is refused, with what is wrong in it', () => {
  before(start);
  after(() => plane.stop());

  const wrong: readonly [annotations: () => Readonly<Record<string, string>>, ...says: readonly RegExp[]][] = [
    [() => ({ [FREEZE]: '' }), /belay\.dev\/freeze /, /no reason/],
    [() => ({ [FREEZE]: '   ' }), /no reason/],
    [() => ({ [FREEZE]: 'x'.repeat(600) }), /longer than 512/],
    [
      () => ({ [FREEZE]: 'x', [UNTIL]: 'tomorrow' }),
      /belay\.dev\/freeze-until /,
      /not an RFC 3339 time/,
      /freeze-until=20\d\d-/,
    ],
    [() => ({ [FREEZE]: 'x', [UNTIL]: '2031-02-30T00:00:00Z' }), /not an RFC 3339 time/],
    [() => ({ [FREEZE]: 'x', [UNTIL]: '2020-01-01T00:00:00Z' }), /in the past/],
    [() => ({ [UNTIL]: later(HOUR_MS) }), /stands without belay\.dev\/freeze/],
    [() => ({ 'belay.dev/freze': 'x' }), /belay\.dev\/freze /, /did you mean belay\.dev\/freeze\?/],
    [() => ({ 'belay.dev/frozen': 'x' }), /did you mean|known are/],
    [() => ({ 'belay.dev/something-else': 'x' }), /known are: /],
    [() => ({ 'belay.dev/open': 'x' }), /stands without belay\.dev\/open-until/],
    [() => ({ 'belay.dev/open': 'x', 'belay.dev/open-until': 'soon' }), /not an RFC 3339 time/],
    [() => ({ 'belay.dev/open': 'x', 'belay.dev/open-until': later(25 * HOUR_MS) }), /too far ahead/, /24 hours/],
    [() => ({ 'belay.dev/break': 'x' }), /stands on a revision that is deployed|stands on a Namespace/],
    [() => ({ 'belay.dev/pin': 'soon' }), /SemVer range/],
    [() => ({ 'belay.dev/no-downgrade': 'yes' }), /true/],
    [() => ({ 'belay.dev/pim': '1' }), /did you mean belay\.dev\/pin\?/],
  ];
  for (const [index, [annotations, ...says]] of wrong.entries()) {
    test(`${index + 1}. ${says.map(({ source }) => source).join(' ')}`, async () => {
      const onRecord = () => annotate(sre, 'web', annotations());
      isDenied(await untouched(plane, onRecord), 'BelayBadLock', ...says);
      const onNamespace = () => sre.annotate('namespace/shop', annotations());
      isDenied(await untouched(plane, onNamespace), 'BelayBadLock', ...says);
    });
  }
});
