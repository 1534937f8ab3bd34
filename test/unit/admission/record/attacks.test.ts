import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { DenialCode } from '../../../../src/rules/verdict.ts';
import { isDenied, succeeds, untouched } from '../../../memory/asking.ts';
import type { Outcome, Person } from '../../../memory/person.ts';
import { type MemoryPlane, memoryPlane } from '../../../memory/plane.ts';
import {
  decodeText,
  encodePayload,
  encodeText,
  payloadIn,
  type RecordKind,
  recordName,
} from '../../../memory/record.ts';

/** What a forger with the right to write Secrets tries. Some of it is tried with real kubectl as well (test/cluster/attacks.test.ts). */

type Edit = (payload: Record<string, unknown> & { info: Record<string, unknown> }) => void;

for (const kind of ['Secret', 'ConfigMap'] as const satisfies readonly RecordKind[]) {
  describe(`the records of a release, as ${kind}s`, () => {
    let plane: MemoryPlane;
    let dev: Person;
    let sre: Person;
    const short = kind.toLowerCase();
    const at = (revision: number, release = 'web'): string => `${short}/${recordName(release, revision)}`;

    const edited = (stored: KubernetesObject, edit: Edit): string => {
      const payload = structuredClone(payloadIn(stored)) as unknown as Parameters<Edit>[0];
      edit(payload);
      return encodePayload(payload, kind);
    };
    /** A stored record under another name: what a forger would write. */
    const forged = async (
      as: { readonly revision: number; readonly name?: string; readonly labels?: Readonly<Record<string, string>> },
      edit: Edit = () => undefined,
      from = at(2),
    ): Promise<KubernetesObject> => {
      const stored = await dev.get(from);
      const { type } = stored;
      return {
        apiVersion: 'v1',
        kind,
        ...(type !== undefined && { type }),
        metadata: {
          name: as.name ?? recordName('web', as.revision),
          labels: { ...stored.metadata?.labels, ...as.labels },
        },
        data: { release: edited(stored, edit) },
      };
    };
    /** A record moved to another status, label and payload alike. */
    const move = async (who: Person, record: string, status: string): Promise<Outcome> => {
      const release = edited(await dev.get(record), (payload) => {
        payload.info.status = status;
      });
      return who.patch(record, { metadata: { labels: { status } }, data: { release } });
    };
    const refused = async (
      code: DenialCode,
      attempt: () => Promise<Outcome>,
      ...says: readonly RegExp[]
    ): Promise<void> => {
      isDenied(await untouched(plane, attempt), code, ...says);
    };

    before(async () => {
      plane = await memoryPlane();
      dev = plane.as('dev');
      sre = plane.as('sre', 'admin');
      const ci = plane.as('ci');
      const helm = kind === 'Secret' ? ci.helm : ci.helmInConfigMaps;
      succeeds(await helm.install('web'));
      succeeds(await helm.upgrade('web', { greeting: 'two' }));
      succeeds(await helm.install('other'));
    });
    after(() => plane.stop());

    for (const [key, value] of [
      ['owner', null],
      ['owner', 'me'],
      ['name', null],
      ['name', 'other'],
      ['status', null],
      ['status', 'failed'],
      ['status', 'superseded'],
      ['version', null],
      ['version', '9'],
    ] as const) {
      test(`the label ${key}${value === null ? '-' : `=${value}`}`, () =>
        refused('BelayRecordProtected', () => dev.patch(at(2), { metadata: { labels: { [key]: value } } })));
    }

    test('all labels at once', () =>
      refused('BelayRecordProtected', () => dev.patch(at(2), { metadata: { labels: null } })));

    test('the status hack that people use as a lock is refused, and they are told of the freeze', async () => {
      const says = /belay\.dev\/freeze/;
      const label = { metadata: { labels: { status: 'pending-upgrade' } } };
      await refused('BelayRecordProtected', () => dev.patch(at(2), label), says);
      for (const status of ['pending-upgrade', 'pending-install', 'pending-rollback'])
        await refused('BelayRecordProtected', () => move(dev, at(2), status), says);
    });

    for (const status of ['superseded', 'failed', 'uninstalled', 'unknown', 'nonsense']) {
      test(`the deployed revision, declared ${status}`, () =>
        refused('BelayRecordProtected', () => move(dev, at(2), status)));
    }

    test('a superseded revision, declared deployed', () =>
      refused('BelayRecordProtected', () => move(dev, at(1), 'deployed')));

    const payloads: readonly [what: string, edit: Edit][] = [
      ['manifest', (payload) => (payload.manifest = '')],
      ['chart', (payload) => (payload.chart = {})],
      ['values', (payload) => (payload.config = { image: 'evil' })],
      ['name', (payload) => (payload.name = 'other')],
      ['revision', (payload) => (payload.version = 7)],
      ['hook, which the next uninstall would run', (payload) => (payload.hooks = [EVIL_HOOK])],
    ];
    for (const [what, edit] of payloads) {
      test(`a payload with another ${what}`, async () => {
        const release = edited(await dev.get(at(2)), edit);
        await refused('BelayRecordProtected', () => dev.patch(at(2), { data: { release } }));
      });
    }

    for (const [what, release] of [
      ['none', null],
      ['an empty one', ''],
      ['rubbish', Buffer.from('rubbish').toString('base64')],
    ] as const) {
      test(`${what} in place of the payload`, () =>
        refused('BelayRecordProtected', () => dev.patch(at(2), { data: { release } })));
    }

    const tricks: Readonly<Record<string, (json: string) => string>> = {
      'another manifest under a key in capitals': (json) => json.replace(/}\s*$/, ',"MANIFEST":"kind: Evil"}'),
      'another manifest under a key with a long s': (json) => json.replace(/}\s*$/, ',"manife\u017ft":"kind: Evil"}'),
      'values in a first `config`, which Go merges with the second': (json) =>
        json.replace('{', '{"config":{"image":"evil"},'),
      'values of the chart in a first `chart`': (json) => json.replace('{', '{"chart":{"values":{"image":"evil"}},'),
      'a chart without templates, under another spelling': (json) =>
        json.replace('"chart":{', '"chart":{"Templates":[],'),
    };
    for (const [title, trick] of Object.entries(tricks)) {
      test(`what Helm reads out of a record, and JavaScript does not: ${title}`, async () => {
        const json = decodeText(await dev.get(at(2)));
        assert.notEqual(trick(json), json);
        const release = encodeText(trick(json), kind);
        await refused('BelayRecordProtected', () => dev.patch(at(2), { data: { release } }));
      });
    }

    test('an edit by which the record would be lost', async () => {
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'none', uid: 'none' }];
      await refused('BelayRecordProtected', () => dev.patch(at(2), { metadata: { ownerReferences } }));
      await refused('BelayRecordProtected', () => dev.patch(at(2), { immutable: true }));
    });

    test('a delete of the newest revision, one by one and as a collection', async () => {
      await refused('BelayRecordProtected', () => dev.delete(at(2)));
      await refused('BelayRecordProtected', () => dev.delete(at(2), { dryRun: 'All' }));
      await refused('BelayRecordProtected', () => dev.deleteAll(short, 'owner=helm,name=other'));
    });

    test('a record that is not what it says', async () => {
      const three = { version: '3' };
      const wrong: readonly KubernetesObject[] = [
        await forged({ revision: 3, name: 'anything', labels: three }),
        await forged({ revision: 3 }),
        await forged({ revision: 3, labels: three }, undefined, at(1, 'other')),
        await forged({ revision: 3, labels: { ...three, status: 'deployed' } }, (payload) => {
          payload.version = 3;
          payload.info.status = 'pending-upgrade';
        }),
      ];
      for (const object of wrong) await refused('BelayRecordProtected', () => dev.create(object));
    });

    const unreadable: Readonly<Record<string, (json: string) => string>> = {
      'hooks that are a text': (json) => json.replace('"hooks":', '"hooks":"x","more":'),
      'a time that is a number': (json) => json.replace(/"last_deployed":"[^"]*"/, '"last_deployed":1732190400'),
      'a time that is none': (json) => json.replace(/"last_deployed":"[^"]*"/, '"last_deployed":"yesterday"'),
      'a revision with a fraction': (json) => json.replace('"version":3', '"version":3.0'),
      'a value beyond all numbers': (json) => json.replace('"config":{', '"config":{"a":1e400,'),
      'a schema that is no base64': (json) => json.replace('"chart":{', '"chart":{"schema":"!",'),
    };
    for (const [title, trick] of Object.entries(unreadable)) {
      test(`a next revision that Helm could not read, for ${title}, is not stored`, async () => {
        const record = await next(3, 'deployed');
        const json = decodeText({ ...record, kind });
        assert.notEqual(trick(json), json);
        const release = encodeText(trick(json), kind);
        await refused('BelayRecordProtected', () => dev.create({ ...record, data: { release } }), /Helm cannot read/);
      });
    }

    const next = (revision: number, status: string, owner = 'helm') =>
      forged({ revision, labels: { owner, version: String(revision), status } }, (payload) => {
        payload.version = revision;
        payload.info.status = status;
      });
    /** As an older Belay let it in. */
    const smuggle = async (record: KubernetesObject): Promise<void> => {
      plane.unguard();
      succeeds(await dev.create(record));
      plane.guard();
    };
    const claimOwner = () => dev.patch(at(9), { metadata: { labels: { owner: 'helm' } } });

    test('a record that is stored unlabelled, and labelled afterwards, is judged as if it were created', async () => {
      await plane.freeze('web', 'closed');
      await smuggle(await next(9, 'pending-upgrade', 'nobody'));
      await refused('BelayFrozen', claimOwner);
      await refused('BelayFrozen', () => dev.delete(at(1)));
      succeeds(await dev.delete(at(9)));
      for (const revision of [1, 2]) succeeds(await sre.annotate(at(revision), { 'belay.dev/freeze': null }));
    });

    test('a dry run of a start claims nothing', async () => {
      const start = await next(3, 'pending-upgrade');
      succeeds(await untouched(plane, () => dev.create(start, { dryRun: 'All' })));
    });

    describe('while somebody else’s upgrade is in flight', () => {
      before(async () => {
        const ci = plane.as('ci');
        const helm = kind === 'Secret' ? ci.helm : ci.helmInConfigMaps;
        const { ended } = await helm.start((run) => run.upgrade('web'));
        assert.equal(ended, undefined);
      });

      test('it is not completed by another, nor by the administrator', async () => {
        for (const status of ['deployed', 'failed', 'superseded'])
          await refused('BelayOperationInFlight', () => move(dev, at(3), status), /by ci/);
        await refused('BelayOperationInFlight', () => move(plane.admin, at(3), 'deployed'));
        await refused('BelayRecordProtected', () => move(dev, at(3), 'pending-rollback'));
        await refused('BelayOperationInFlight', () => move(dev, at(3), 'uninstalling'));
      });

      test('its record, the deployed one and all records stay', async () => {
        await refused('BelayOperationInFlight', () => dev.delete(at(3)));
        await refused('BelayRecordProtected', () => dev.delete(at(2)));
        const label = { metadata: { labels: { status: 'superseded' } } };
        await refused('BelayRecordProtected', () => dev.patch(at(2), label));
        await refused('BelayOperationInFlight', () => move(dev, at(2), 'superseded'));
        const { ok } = await dev.deleteAll(short, 'owner=helm,name=web,version=3');
        assert.ok(!ok);
        assert.equal(await plane.history('web'), 'v1 superseded, v2 deployed, v3 pending-upgrade');
      });

      for (const status of ['deployed', 'pending-upgrade', 'pending-rollback', 'superseded', 'uninstalling']) {
        test(`a higher revision is not forged as ${status}`, async () => {
          const record = await next(9, status);
          await refused('BelayOperationInFlight', () => dev.create(record), /by ci/);
        });
      }

      for (const status of ['deployed', 'pending-upgrade', 'uninstalling']) {
        test(`a higher revision is not smuggled in as ${status}`, async () => {
          await smuggle(await next(9, status, 'nobody'));
          await refused('BelayOperationInFlight', claimOwner, /by ci/);
          succeeds(await dev.delete(at(9)));
        });
      }
    });
  });
}

const EVIL_HOOK = { name: 'evil', kind: 'Job', path: 'evil.yaml', manifest: 'kind: Job', events: ['pre-delete'] };
