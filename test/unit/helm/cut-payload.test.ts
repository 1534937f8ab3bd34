import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuseAmbiguous } from '../../../src/helm/ambiguous.ts';
import { createSameText, cutPayload, textIn } from '../../../src/helm/cut-payload.ts';
import { changedParts, readPayloadText, summarize } from '../../../src/helm/payload.ts';

const cut = (json: string) => cutPayload(readPayloadText(Buffer.from(json).toString('base64'), 'ConfigMap'));

const LONG = 'kind: ConfigMap é 😀\n'.repeat(200);
const release = (more: object): string =>
  JSON.stringify({ name: 'web', version: 1, info: { status: 'deployed' }, manifest: LONG, ...more });

const changed = (before: string, after: string) => {
  const [old, current] = [cut(before), cut(after)];
  return changedParts(old.payload, current.payload, createSameText(old, current));
};

/** As another encoder writes it: no letter beyond ASCII. */
const inAscii = (json: string): string =>
  json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe('long strings that are kept apart', () => {
  test('are told as they are', () => {
    const payload = cut(release({}));
    assert.equal(textIn(payload)(payload.payload.manifest), LONG);
    assert.equal(summarize(payload.payload, textIn(payload)).name, 'web');
  });

  test('are the same with other escapes', () => {
    assert.deepEqual(changed(release({}), inAscii(release({}))), []);
  });

  test('differ where one letter differs, in whatever escapes', () => {
    const other = release({ manifest: LONG.replace(/.{20}$/s, (end) => `${end.slice(0, -2)}x\n`) });
    assert.deepEqual(changed(release({}), other), ['manifest']);
    assert.deepEqual(changed(release({}), inAscii(other)), ['manifest']);
    assert.deepEqual(changed(release({}), release({ manifest: LONG.slice(0, -1) })), ['manifest']);
    assert.deepEqual(changed(release({}), release({ manifest: 'short' })), ['manifest']);
  });

  test('are the same as a short text that is written without escapes', () => {
    const short = '<'.repeat(300);
    const long = release({ manifest: short }).replaceAll('<', '\\u003c');
    assert.deepEqual(changed(release({ manifest: short }), long), []);
    assert.deepEqual(changed(long, release({ manifest: `${short}<` })), ['manifest']);
  });

  test('in a chart and among hooks are compared as well', () => {
    const chart = (text: string) =>
      release({ chart: { templates: [{ name: 'a', data: Buffer.from(text).toString('base64') }] } });
    assert.deepEqual(changed(chart(LONG), chart(LONG)), []);
    assert.deepEqual(changed(chart(LONG), chart(`${LONG}x`)), ['chart']);
    const hooks = (manifest: string) => release({ hooks: [{ name: 'a', manifest }] });
    assert.deepEqual(changed(hooks(LONG), hooks(`${LONG}x`)), ['hooks']);
  });

  test('have a key of their own counted', () => {
    const { payload, members } = cut(`{"${'k'.repeat(2000)}":1,"manifest":${JSON.stringify(LONG)}}`);
    assert.equal(members, 2);
    assert.doesNotThrow(() => refuseAmbiguous(payload, members));
    const twice = cut(`{"${'k'.repeat(2000)}":1,"${'k'.repeat(2000)}":2}`);
    assert.throws(() => refuseAmbiguous(twice.payload, twice.members), { message: 'has a key twice' });
  });

  for (const [name, text] of [
    ['a line break', `a${'\n'}b`],
    ['an unknown escape', '\\x'],
    ['an escape with letters that are no digits', '\\u00g0'],
  ] as const) {
    test(`with ${name} are no JSON, as they are none for Helm`, () => {
      assert.throws(() => cut(`{"manifest":"${'x'.repeat(2000)}${text}"}`), { message: 'is not JSON' });
    });
  }
  test('without an end are no JSON', () => {
    for (const end of ['', '\\"', '\\"}', '\\'])
      assert.throws(() => cut(`{"manifest":"${'x'.repeat(2000)}${end}`), { message: 'is not JSON' });
  });
});
