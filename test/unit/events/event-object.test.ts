import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type EventToWrite,
  eventName,
  eventNamespace,
  type Regarding,
  toEvent,
  toMessage,
} from '../../../src/events/event-object.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00.750Z');
const RECORD: Regarding = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: 'shop',
  name: 'sh.helm.release.v1.web.v3',
  uid: 'u3',
};

const event = (regarding: Partial<Regarding> = {}, more: Partial<EventToWrite> = {}): EventToWrite => ({
  reason: 'FrozenWriteRefused',
  type: 'Warning',
  message: 'upgrade of release web in namespace shop refused',
  release: { namespace: 'shop', name: 'web' },
  action: 'Upgrade',
  regarding: { ...RECORD, ...regarding },
  times: 1,
  ...more,
});

test('an Event as kubectl shows it', () => {
  assert.deepEqual(toEvent(event(), 'belay-0', NOW_MS), {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(event()), namespace: 'shop' },
    involvedObject: RECORD,
    reason: 'FrozenWriteRefused',
    type: 'Warning',
    action: 'Upgrade',
    message: 'upgrade of release web in namespace shop refused',
    firstTimestamp: '2026-11-21T12:00:00Z',
    lastTimestamp: '2026-11-21T12:00:00Z',
    count: 1,
    source: { component: 'belay' },
    reportingComponent: 'belay',
    reportingInstance: 'belay-0',
  });
});

describe('names', () => {
  test('are the same on every replica and for every message', () => {
    const other = event({}, { message: 'another', times: 7, type: 'Normal', action: 'Rollback' });
    assert.equal(eventName(other), eventName(event()));
    assert.match(eventName(event()), /^sh\.helm\.release\.v1\.web\.v3\.[0-9a-f]{16}$/);
  });

  test('do not depend on the version of the API by which an object was written', () => {
    assert.equal(eventName(event({ apiVersion: 'apps/v1' })), eventName(event({ apiVersion: 'apps/v1beta1' })));
  });

  const others: Record<string, EventToWrite> = {
    'another reason': event({}, { reason: 'DriftRefused' }),
    'another release': event({}, { release: { namespace: 'shop', name: 'api' } }),
    'another kind': event({ kind: 'ConfigMap' }),
    'another group': event({ apiVersion: 'example.com/v1' }),
    'an object made anew': event({ uid: 'u4' }),
  };
  for (const [what, other] of Object.entries(others)) {
    test(`differ for ${what}`, () => assert.notEqual(eventName(other), eventName(event())));
  }

  for (const name of ['system:foo', 'a'.repeat(253), 'Ümlaut', 'a/b']) {
    test(`are accepted by the API server for an object named ${name.slice(0, 20)}`, () => {
      assert.match(eventName(event({ name })), /^belay\.[0-9a-f]{16}$/);
    });
  }
});

test('Events of cluster-scoped objects are kept in default', () => {
  assert.equal(eventNamespace({ ...RECORD, namespace: '' }), 'default');
  assert.equal(eventNamespace(RECORD), 'shop');
});

describe('messages', () => {
  test('hold no control characters for a terminal', () => {
    assert.equal(toMessage('a\u001b[31mb\nc\u202ed'), 'a\\u001b[31mb\\nc\\u202ed');
  });

  test('are not escaped twice', () => {
    const escaped = toMessage('a\u001b"b\\');
    assert.equal(toMessage(escaped), escaped);
  });

  for (const [what, text] of Object.entries({
    plain: 'x'.repeat(5_000),
    'two bytes a character': 'ü'.repeat(5_000),
    'three bytes a character': '€'.repeat(5_000),
    'four bytes a character': '😀'.repeat(5_000),
    'to be escaped': '\u0000'.repeat(5_000),
  })) {
    test(`have at most 1024 bytes, and whole characters: ${what}`, () => {
      const message = toMessage(text);
      const bytes = Buffer.byteLength(message);
      assert.ok(bytes <= 1024 && bytes > 1000, String(bytes));
      assert.ok(message.endsWith('…'));
      assert.doesNotMatch(message, /\ufffd/);
    });
  }
});
