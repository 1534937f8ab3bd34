import { execFile } from 'node:child_process';
import { helmProgram } from '../turn/command-line.ts';
import { GLOBAL_FLAGS } from '../turn/helm-flags.ts';
import { type Answer, FILES, NOTHING, only, showAnswer } from './answer.ts';

/** The flags of `lock` itself, which Helm does not know. A test compares them with the parser. */
export const OWN_FLAGS: Readonly<Record<string, string>> = {
  '--lock-timeout': 'longest wait for the release',
  '--no-recover': 'leave a release that is stuck or failed as it is',
  '--only-newer': 'do nothing when the chart is not newer than what is deployed',
  '--skip-locked': 'do nothing when the release is frozen or pinned',
};

const COMMANDS: Readonly<Record<string, string>> = {
  upgrade: 'run helm upgrade when it is its turn',
  install: 'run helm install when it is its turn',
  rollback: 'run helm rollback when it is its turn',
  uninstall: 'run helm uninstall when it is its turn',
  any: 'run anything else when it is its turn',
};

const TIMEOUT = '--lock-timeout';

const candidatesOf = (texts: Readonly<Record<string, string>>) =>
  Object.entries(texts).map(([value, description]) => ({ value, description }));

/** The command line without the flags of `lock`, as Helm is asked about it. */
const withoutOwn = (words: readonly string[]): readonly string[] =>
  words.filter((word, at) => {
    const [name = ''] = word.split('=');
    return !Object.hasOwn(OWN_FLAGS, name) && words[at - 1] !== TIMEOUT;
  });

/** The words that are neither flags nor values of global flags. */
const plainWords = (words: readonly string[]): readonly string[] =>
  words.filter((word, at) => !word.startsWith('-') && !GLOBAL_FLAGS.values.has(words[at - 1] ?? ''));

/** A user does not wait longer than this for a completion. */
const HELM_TIMEOUT_MS = 5_000;

/** Helm's answer in the format of cobra. Undefined: there is no Helm, or it does not answer. */
const askHelm = (args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { timeout: HELM_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(helmProgram(process.env), ['__complete', ...args], options, (error, stdout) =>
      resolve(error === null && /^:\d+$/m.test(stdout) ? stdout : undefined),
    );
  });

/** The answer to a shell. `words` begin with Helm's command, and `cluster` are the flags before it. */
export const completeHelm = async (words: readonly string[], cluster: readonly string[]): Promise<string> => {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const show = (answer: Answer): string => showAnswer(answer, typed);
  if (before.at(-1) === TIMEOUT || typed.startsWith(`${TIMEOUT}=`)) return show(NOTHING);
  if (plainWords(before).length === 0 && !typed.startsWith('-') && !GLOBAL_FLAGS.values.has(before.at(-1) ?? ''))
    return show(only(candidatesOf(COMMANDS)));
  // The program that `any` runs is not known here. Its release is completed like that of `helm status`.
  const isAny = before.includes('any');
  const wordsOfAny = withoutOwn(before).filter((word) => word !== 'any');
  if (isAny && plainWords(wordsOfAny).length > 0) return show(FILES);
  const args = isAny ? ['status', ...wordsOfAny] : withoutOwn(before);
  const answer = await askHelm([...args, ...cluster, typed]);
  const own = typed.startsWith('-') ? show(only(candidatesOf(OWN_FLAGS))) : '';
  if (answer === undefined) return own || show(FILES);
  return `${own.replace(/:\d+\n$/, '')}${answer.trimEnd()}\n`;
};
