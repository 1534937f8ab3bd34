import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { CommandName, ControlPlane } from '../cluster/harness/control-plane.ts';
import { waitUntil } from '../cluster/harness/wait-until.ts';

/** What a command has to come to, or the story is not true. */
export type Outcome =
  /** Exit code 0, and this on the terminal. */
  | { readonly allowed: RegExp }
  /** Refused by Belay, with its code, and all of these on the terminal. */
  | { readonly denied: string; readonly saying?: readonly RegExp[] }
  /** Refused by Helm itself. */
  | { readonly refused: RegExp };

export interface BackgroundCommand {
  ended(outcome: Outcome): Promise<void>;
  /** SIGKILL, as a cancelled pipeline job gets it. */
  kill(): Promise<void>;
}

export interface Story {
  scene(title: string): void;
  say(text: string): void;
  /** Runs a command line as a user, shows it with its real output, and holds that against the outcome. */
  run(user: string, line: string, outcome: Outcome): Promise<void>;
  background(user: string, line: string): BackgroundCommand;
  addUser(name: string, groups?: readonly string[]): Promise<void>;
  /** Shows a file as somebody would have written it, and puts it where the commands run. */
  file(name: string, text: string): Promise<void>;
  waitForStatus(release: string, status: string): Promise<void>;
  /** Prints the end, and sets the exit code. */
  finish(): void;
}

/** `a "b c"` -> a, b c: enough of a shell to show commands as people type them. */
const toWords = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));

const isMet = (outcome: Outcome, code: number, text: string): boolean => {
  if ('allowed' in outcome) return code === 0 && outcome.allowed.test(text);
  if ('refused' in outcome) return code !== 0 && outcome.refused.test(text);
  const { denied, saying = [] } = outcome;
  return code !== 0 && text.includes(`[${denied}]`) && saying.every((pattern) => pattern.test(text));
};

const describe = (outcome: Outcome): string => {
  if ('allowed' in outcome) return `exit code 0 and ${outcome.allowed}`;
  if ('refused' in outcome) return `a failure with ${outcome.refused}`;
  return `a denial with [${outcome.denied}] ${(outcome.saying ?? []).join(' ')}`;
};

/** Tells a story on the terminal, with commands that really run on the plane. Commands run in `cwd`. */
export const createStory = (plane: ControlPlane, cwd: string): Story => {
  const startedAtMs = Date.now();
  const kubeconfigs = new Map<string, string>();
  let wrong = 0;

  const print = (text = ''): void => {
    process.stdout.write(`${text}\n`);
  };

  const judge = (outcome: Outcome, code: number, output: string): void => {
    for (const line of output.trimEnd().split('\n')) print(`    ${line}`);
    if (!isMet(outcome, code, output)) {
      wrong += 1;
      print(styleText('red', `  ✗ this was to be ${describe(outcome)}; exit code ${code}`));
    }
    print();
  };

  const read = (user: string, line: string) => {
    const [program = '', ...args] = toWords(line);
    const as = kubeconfigs.get(user);
    if (as === undefined) throw new Error(`no user ${user} in this story`);
    print(`  ${styleText('cyan', `${user} $`)} ${styleText('bold', line)}`);
    return { program: program as CommandName, args, options: { as, cwd } };
  };

  return {
    scene: (title) => print(`${styleText(['bold', 'green'], title)}\n`),
    say: (text) => print(`  ${text}\n`),

    run: async (user, line, outcome) => {
      const { program, args, options } = read(user, line);
      const { code, stdout, stderr } = await plane[program](args, options);
      judge(outcome, code, `${stdout}${stderr}`);
    },

    background: (user, line) => {
      const { program, args, options } = read(user, `${line} &`);
      const child = plane.spawn(program, args.slice(0, -1), options);
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (text: Buffer) => (output += text.toString()));
      const ended = once(child, 'close');
      print();
      return {
        ended: async (outcome) => {
          const [code] = (await ended) as [number | null];
          print(`  ${styleText('cyan', `${user}`)} ${line.split(' ').slice(0, 3).join(' ')} … has ended:`);
          judge(outcome, code ?? 1, output);
        },
        kill: async () => {
          child.kill('SIGKILL');
          await ended;
          print(`  ${styleText('cyan', `${user} $`)} ${styleText('bold', `kill -9 ${child.pid}`)}\n`);
        },
      };
    },

    addUser: async (name, groups) => {
      kubeconfigs.set(name, await plane.user(name, groups));
    },

    file: async (name, text) => {
      await writeFile(join(cwd, name), text);
      print(`  ${styleText('cyan', name)}`);
      for (const line of text.trimEnd().split('\n')) print(`    ${line}`);
      print();
    },

    waitForStatus: async (release, status) => {
      const selector = `owner=helm,name=${release},status=${status}`;
      await waitUntil(`${release} is ${status}`, async () => {
        const found = await plane.kubectl(['get', 'secret', '-n', 'shop', '-l', selector, '-o', 'name']);
        return found.stdout !== '' || undefined;
      });
    },

    finish: () => {
      const seconds = Math.round((Date.now() - startedAtMs) / 1000);
      if (wrong === 0) {
        print(styleText('green', `Every step went as told (${seconds} s).`));
      } else {
        print(styleText('red', `${wrong} step${wrong === 1 ? '' : 's'} went otherwise than told (marked ✗ above).`));
        process.exitCode = 1;
      }
    },
  };
};

const SHOP = join(import.meta.dirname, '..', 'charts', 'shop');

/** A folder with the demo's chart in it, `shop`, and its next versions, `shop-1.5.0` for instance. */
export const layOutCharts = async (dir: string, versions: readonly string[]): Promise<string> => {
  await mkdir(dir, { recursive: true });
  await cp(SHOP, join(dir, 'shop'), { recursive: true });
  for (const version of versions) {
    const copy = join(dir, `shop-${version}`);
    await cp(SHOP, copy, { recursive: true });
    const file = join(copy, 'Chart.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^version: .*$/m, `version: ${version}`));
  }
  return dir;
};
