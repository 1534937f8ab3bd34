import { escapeLines } from '../../text/escape-lines.ts';

/** The values of `-o`. */
export const FORMATS = ['wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export const toJson = (value: unknown): string => `${escapeLines(JSON.stringify(value, null, 4))}\n`;

/** Prints a single object if one was asked for by name, or else a list, as kubectl does. */
export const printObjects = async (
  format: 'json' | 'yaml',
  objects: readonly object[],
  isAlone: boolean,
): Promise<void> => {
  const [only] = objects;
  const value = isAlone && only !== undefined ? only : { apiVersion: 'v1', kind: 'List', items: objects };
  // The YAML library is loaded only when it is needed, because loading takes a while.
  process.stdout.write(format === 'json' ? toJson(value) : (await import('./yaml.ts')).toYaml(value));
};
