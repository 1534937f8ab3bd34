import { REASON_OF_DENIAL } from '../../src/events/event-reasons.ts';
import { ruleOf } from '../../src/rules/actions.ts';
import type { DenialCode } from '../../src/rules/verdict.ts';
import { DENIALS } from './denial-reference.ts';
import { code, section, table } from './markdown.ts';

const actionField = (denial: DenialCode): string => {
  const rule = ruleOf(denial);
  return rule === undefined ? 'always refused' : code(`${rule}.action`);
};

const event = (denial: DenialCode): string => {
  const reason = REASON_OF_DENIAL[denial];
  return reason === undefined ? 'none' : code(reason);
};

export const denialCodes = (): string =>
  section(
    'Codes',
    'Every refusal is a 403 `Forbidden`. Its message ends its first line with the code in brackets. Programs find the code in `details.causes[0].reason` of the Status; further causes name the fields, where there are any. The action that the policy states in the named field decides whether the write is refused (`Deny`), passes with a warning (`Warn`), passes and is only noted (`Audit`), or is not looked at (`Off`).',
    table(
      ['code', 'what is refused', 'decided by', 'what to do', 'Event'],
      (Object.keys(DENIALS) as DenialCode[]).map((denial) => {
        const { refused, whatToDo } = DENIALS[denial];
        return [code(denial), refused, actionField(denial), whatToDo, event(denial)];
      }),
    ),
  );
