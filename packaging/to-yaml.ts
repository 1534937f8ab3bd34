import { stringify } from 'yaml';

/** Does not fold long lines, because folded lines are hard to review, as in krew's index. */
export const toYaml = (value: object): string => stringify(value, { lineWidth: 0 });
