import type { LockSource } from '../../policy/lock.ts';
import type { Denial } from '../../rules/verdict.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { grantingRule } from './commands.ts';
import { type Explanation, showRelease } from './explanation.ts';

type DenialOf<Code extends Denial['code']> = Extract<Denial, { code: Code }>;

const showSource = ({ kind, namespace, name }: LockSource): string =>
  kind === 'Namespace'
    ? `namespace ${showName(name)}`
    : `${kind} ${showName(name)} in namespace ${showName(namespace)}`;

export const explainBadLock = ({ source, annotation, problem, remedy }: DenialOf<'BelayBadLock'>): Explanation => ({
  headline: `annotation ${showName(annotation)} on ${showSource(source)} refused: it ${escapeText(problem)}`,
  lines: [escapeText(remedy)],
});

export const explainLockForbidden = (denial: DenialOf<'BelayLockForbidden'>): Explanation => {
  const { release, source, user, verb, annotations, replacesFreezeOf: by } = denial;
  // An annotation on the Namespace locks every release in it, and so asks for the right to all of them.
  const name = source.kind === 'Namespace' || release.name === '' ? undefined : release.name;
  const what = name === undefined ? `the releases in namespace ${showName(release.namespace)}` : showRelease(release);
  return {
    headline: `${showName(user)} may not ${verb} ${what}: ${annotations.map(showName).join(', ')} on ${showSource(source)} refused`,
    lines: [
      ...(by === undefined
        ? []
        : [
            `the freeze in force is ${by === '' ? 'not yours' : `by ${showName(by)}`}: another reason would replace it`,
          ]),
      `needed: verb ${verb} on releases.belay.dev${name === undefined ? '' : ` named ${showName(name)}`}, in namespace ${showName(release.namespace)}`,
      'a rule that grants it, for the Role of someone who should have it:',
      `  ${grantingRule(verb, name)}`,
    ],
  };
};

export const explainRecord = (denial: DenialOf<'BelayRecordProtected'>): Explanation => {
  const { release, record, problem, remedy } = denial;
  return {
    headline: `write of ${record.kind} ${showName(record.name)}, a record of ${showRelease(release)}, refused: ${escapeText(problem)}`,
    lines: [escapeText(remedy)],
  };
};
