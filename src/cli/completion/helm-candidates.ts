import { execFile } from 'node:child_process';
import { helmProgram } from '../turn/command-line.ts';
import { GLOBAL_FLAGS } from '../turn/helm-flags.ts';
import { type Answer, FILES, NOTHING, only, showAnswer } from './answer.ts';

/** The flags of `lock` itself, which Helm knows nothing of. A test holds them against what is parsed. */
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

/** What Helm is asked about: the command line without what is ours. */
const withoutOwn = (words: readonly string[]): readonly string[] =>
  words.filter((word, at) => {
    const [name = ''] = word.split('=');
    return !Object.hasOwn(OWN_FLAGS, name) && words[at - 1] !== TIMEOUT;
  });

/** Without flags, and the values of those that a command of any kind takes. */
const plainWords = (words: readonly string[]): readonly string[] =>
  words.filter((word, at) => !word.startsWith('-') && !GLOBAL_FLAGS.values.has(words[at - 1] ?? ''));

/** Longer than that nobody waits for a completion. */
const PATIENCE_MS = 5_000;

/** Cobra's own words; undefined where there is no Helm, or none that answers. */
const askHelm = (args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, maxBuffer: 16 * 1024 * 1024 };
    execFile(helmProgram(process.env), ['__complete', ...args], options, (error, stdout) =>
      resolve(error === null && /^:\d+$/m.test(stdout) ? stdout : undefined),
    );
  });

/** `words` begin with Helm's command, `cluster` are flags that stood before it. In the words of the answer to a shell. */
export const completeHelm = async (words: readonly string[], cluster: readonly string[]): Promise<string> => {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const show = (answer: Answer): string => showAnswer(answer, typed);
  if (before.at(-1) === TIMEOUT || typed.startsWith(`${TIMEOUT}=`)) return show(NOTHING);
  if (plainWords(before).length === 0 && !typed.startsWith('-') && !GLOBAL_FLAGS.values.has(before.at(-1) ?? ''))
    return show(only(candidatesOf(COMMANDS)));
  // What `any` runs is not known here; the release is of the kind that `helm status` takes.
  const isAny = before.includes('any');
  const wordsOfAny = withoutOwn(before).filter((word) => word !== 'any');
  if (isAny && plainWords(wordsOfAny).length > 0) return show(FILES);
  const args = isAny ? ['status', ...wordsOfAny] : withoutOwn(before);
  const answer = await askHelm([...args, ...cluster, typed]);
  const own = typed.startsWith('-') ? show(only(candidatesOf(OWN_FLAGS))) : '';
  if (answer === undefined) return own || show(FILES);
  return `${own.replace(/:\d+\n$/, '')}${answer.trimEnd()}\n`;
};
