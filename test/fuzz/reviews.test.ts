import assert from 'node:assert/strict';
import fc from 'fast-check';
import { eventsOf } from '../../src/admission/event-of.ts';
import { recognise } from '../../src/admission/recognise.ts';
import { aspectOf, type RecognisedReview } from '../../src/admission/recognised-review.ts';
import { completeLocks } from '../../src/admission/record/carry-locks.ts';
import { readRecordReview } from '../../src/admission/record/read-record-review.ts';
import { refuseMisnamed, refuseTrap } from '../../src/admission/record/record-traps.ts';
import { reviewPolicy } from '../../src/admission/review-policy.ts';
import { parseReview } from '../../src/admission/wire/parse.ts';
import { readReview } from '../../src/admission/wire/read-review.ts';
import { toAdmissionText, toMalformedResponse } from '../../src/admission/wire/respond.ts';
import { ownerOf } from '../../src/helm/owner.ts';
import { toRecord } from '../../src/helm/record.ts';
import { createTextMemory } from '../../src/helm/text-memory.ts';
import { answerWithoutVerdict } from '../../src/server/without-verdict.ts';
import { countNodes, fuzz, hostileText, json, jsonMap, mutated } from './fuzz.ts';

const NOW_MS = Date.UTC(2026, 10, 21);
const memory = createTextMemory();

/** What is asked of every review before anything is fetched. */
const judge = (review: RecognisedReview): void => {
  const { reviewKind: kind } = review;
  for (const object of [review.object, review.oldObject]) {
    ownerOf(object);
    toRecord('Secret', object?.metadata);
  }
  if (kind === 'record') {
    const parsed = readRecordReview(review, aspectOf(review, 'record')?.recordName);
    if (parsed !== undefined) refuseTrap(review, parsed);
    refuseMisnamed(review);
  }
  const [before, after] = [review.oldObject?.metadata?.annotations ?? {}, review.object?.metadata?.annotations ?? {}];
  completeLocks(before, after, review.user.username);
  const answers = [answerWithoutVerdict(kind, review.operation, 'failure'), refuseMisnamed(review)];
  if (kind === 'policy') answers.push(reviewPolicy(review));
  for (const answer of answers) {
    const text = toAdmissionText(review.uid, answer, NOW_MS);
    assert.equal((JSON.parse(text) as { response: { uid: string } }).response.uid, review.uid);
    // The message stays short, however large the review is.
    assert.ok(text.length < 64 * 1024);
    for (const event of eventsOf(review, answer, { nowMs: NOW_MS, recordsOf: () => [] })) countNodes(event);
  }
};

const readBytes = (bytes: Buffer): void => {
  const read = readReview(bytes, recognise, memory);
  if (!read.isJson) return;
  if (read.parsed.ok) judge(read.parsed.review);
  else {
    assert.ok(read.parsed.problem.length < 10_000);
    if (read.parsed.uid !== undefined) toMalformedResponse(read.parsed.uid, read.parsed.problem);
  }
  for (const text of read.texts) memory.free(text);
};

const stringMap = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom(
          'owner',
          'name',
          'status',
          'version',
          'modifiedAt',
          '__proto__',
          'belay.dev/claim',
          'belay.dev/freeze',
          'belay.dev/freeze-until',
          'belay.dev/pin',
          'belay.dev/x',
          'meta.helm.sh/release-name',
          'meta.helm.sh/release-namespace',
        ),
        hostileText,
      ),
      fc.oneof(fc.constantFrom('helm', 'true', 'web', 'deployed', '1'), hostileText),
    ),
    { maxLength: 8 },
  )
  .map((entries) => Object.fromEntries(entries));
const name = fc.oneof(
  fc.constantFrom('sh.helm.release.v1.web.v1', 'belay.web', 'web', 'sh.helm.release.v1.__proto__.v9999999999'),
  hostileText,
);
const object = fc.record(
  {
    apiVersion: json,
    kind: json,
    metadata: fc.record(
      {
        name,
        namespace: hostileText,
        labels: fc.option(stringMap),
        annotations: fc.option(stringMap),
        managedFields: json,
        ownerReferences: json,
        creationTimestamp: hostileText,
      },
      { requiredKeys: [] },
    ),
    data: fc.oneof(json, fc.record({ release: hostileText })),
    spec: json,
    immutable: json,
  },
  { requiredKeys: [] },
);
const groupVersion = {
  group: fc.constantFrom('', 'apps', 'belay.dev', 'coordination.k8s.io', '__proto__'),
  version: fc.constantFrom('v1', ''),
};
const review = fc.record({
  apiVersion: fc.constant('admission.k8s.io/v1'),
  kind: fc.constant('AdmissionReview'),
  request: fc.record(
    {
      uid: fc.constantFrom('uid', 'x'.repeat(128)),
      kind: fc.record({ ...groupVersion, kind: hostileText }),
      resource: fc.record({
        ...groupVersion,
        resource: fc.oneof(
          fc.constantFrom('secrets', 'configmaps', 'leases', 'namespaces', 'releasepolicies'),
          hostileText,
        ),
      }),
      subResource: fc.constantFrom('', 'scale', 'status', '\u001b'),
      name,
      namespace: hostileText,
      operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
      userInfo: fc.record(
        { username: hostileText, groups: fc.array(hostileText, { maxLength: 3 }) },
        { requiredKeys: [] },
      ),
      dryRun: fc.constantFrom(true, false, null),
      object: fc.option(object),
      oldObject: fc.option(object),
    },
    { requiredKeys: ['uid', 'kind', 'resource', 'operation', 'userInfo'] },
  ),
});
const reviewText = review.map((value) => JSON.stringify(value));

fuzz('any bytes are read as a review, or refused', [fc.uint8Array({ maxLength: 400 })], (bytes) =>
  readBytes(Buffer.from(bytes)),
);
fuzz('any JSON is read as a review, or refused', [json], (value) => {
  parseReview(value);
  readBytes(Buffer.from(JSON.stringify(value) ?? ''));
});
fuzz('any review is classified and answered', [review], (value) => readBytes(Buffer.from(JSON.stringify(value))));
fuzz('a damaged review is read, or refused', [mutated(reviewText)], readBytes);
fuzz(
  'a byte order mark, a double key and a huge number do no harm',
  [reviewText, jsonMap, fc.constantFrom('1e999', '-1e999', '1'.repeat(400), '0.'.padEnd(400, '3'))],
  (text, more, number) => {
    readBytes(Buffer.from(`\ufeff${text}`));
    const entries = Object.entries(more).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    readBytes(
      Buffer.from(text.replace('"request":{', `"request":{${[...entries, ...entries, `"n":${number}`].join()},`)),
    );
  },
);
fuzz(
  'long payloads are cut out at any place',
  [reviewText, fc.constantFrom('release', 'data', '\\u0072elease'), fc.constantFrom('A', '\\\\', '"', '\u0001', 'é')],
  (text, key, character) => {
    const long = `${JSON.stringify(key).replaceAll('\\\\u', '\\u')}:"${character.repeat(66_000)}"`;
    readBytes(Buffer.from(text.replace('"data":{', `"data":{${long},`)));
    readBytes(Buffer.from(text.replace('"metadata":{', `"metadata":{${long},`)));
  },
  40,
);
fuzz(
  'JSON of any depth is read or refused',
  [fc.nat(20_000), fc.constantFrom(['[', ']'], ['{"a":', '}'], ['{"__proto__":', '}']), reviewText],
  (depth, [open, close], text) => {
    const deep = `${open.repeat(depth)}1${close.repeat(depth)}`;
    readBytes(Buffer.from(deep));
    readBytes(Buffer.from(text.replace('"request":{', `"request":{"options":${deep},`)));
    readBytes(Buffer.from(text.replace('"metadata":{', `"spec":${deep},"metadata":{`)));
  },
  20,
);
