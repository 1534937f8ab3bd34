import { stringify } from 'yaml';

/** Long lines stay whole: folded, they are hard to read where somebody has to review them, as for krew's index. */
export const toYaml = (value: object): string => stringify(value, { lineWidth: 0 });
