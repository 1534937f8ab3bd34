import type { PayloadAnswer, ReadPayload } from './payloads.ts';

/** What a Helm reads, in one line; null where it reads nothing. */
type Line = string | null;

/** A line for both Helms, or one each where they read otherwise. */
export type TableAnswer = Line | { readonly helm3: Line; readonly helm4: Line };

/** The manifest of most payloads. It is long, and the table has this in its place. */
const MANIFEST = `---\n# ${'x'.repeat(3_000)}\nkind: Service\n`;

/** All but the manifest. */
export const toLine = (read: Omit<ReadPayload, 'manifest'> | null): Line => {
  if (read === null) return null;
  const { name, namespace, revision, status, chartName, chartVersion } = read;
  return JSON.stringify([name, namespace, revision, status, chartName, chartVersion]);
};

const withManifest = (read: ReadPayload | null): Line => {
  const isUsual = read === null || read.manifest === MANIFEST;
  return isUsual ? toLine(read) : `${toLine(read)} with the manifest ${JSON.stringify(read.manifest)}`;
};

/** Answers as the table has them. */
export const toTable = (answers: Readonly<Record<string, PayloadAnswer>>): Readonly<Record<string, TableAnswer>> =>
  Object.fromEntries(
    Object.entries(answers).map(([question, answer]) => {
      const [helm3, helm4] = [withManifest(answer.helm3), withManifest(answer.helm4)];
      return [question, helm3 === helm4 ? helm3 : { helm3, helm4 }];
    }),
  );

/** What Helm 3 and Helm 4 read, without the manifest. */
export const linesOf = (answer: TableAnswer): readonly Line[] => {
  const lines = answer === null || typeof answer === 'string' ? [answer] : [answer.helm3, answer.helm4];
  return lines.map((line) => line?.replace(/ with the manifest .*$/, '') ?? null);
};
