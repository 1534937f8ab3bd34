/** docs/guide.md, as far as it can be run. */

export type Step =
  /** A fenced block whose first line is `# name`: a file that the commands read. */
  | { readonly kind: 'file'; readonly name: string; readonly text: string }
  /** Of a block ```console: `user $ command`, and below it what the user sees. */
  | {
      readonly kind: 'command';
      readonly user: string;
      readonly command: string;
      readonly shown: readonly string[];
      /** Where what is shown begins in the document, counted in lines. */
      readonly at: number;
    }
  /** An HTML comment, which nobody sees: what happens outside of the story. */
  | { readonly kind: 'aside'; readonly text: string };

export interface Section {
  readonly title: string;
  readonly steps: readonly Step[];
}

const PROMPT = /^([a-z]+) \$ (.+)$/;

const stepsOfConsole = (lines: readonly string[], at: number): readonly Step[] => {
  const steps: (Step & { kind: 'command'; shown: string[] })[] = [];
  for (const [index, line] of lines.entries()) {
    const [, user, command] = PROMPT.exec(line) ?? [];
    if (user !== undefined && command !== undefined) {
      steps.push({ kind: 'command', user, command, shown: [], at: at + index + 1 });
    } else {
      const last = steps.at(-1);
      if (last === undefined) throw new Error(`docs/guide.md:${at + index + 1}: a console begins with a command`);
      last.shown.push(line);
    }
  }
  return steps;
};

const stepsOfBlock = (language: string, lines: readonly string[], at: number): readonly Step[] => {
  if (language === 'console') return stepsOfConsole(lines, at);
  const [, name] = /^# (\S+\.[a-z]+)$/.exec(lines[0] ?? '') ?? [];
  return name === undefined ? [] : [{ kind: 'file', name, text: `${lines.join('\n')}\n` }];
};

/** The sections (`##`) in which something is to be done. */
export const readGuide = (text: string): readonly Section[] => {
  const sections: { title: string; steps: Step[] }[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const [, title] = /^## (.+)$/.exec(line) ?? [];
    if (title !== undefined) sections.push({ title, steps: [] });
    const [, aside] = /^<!-- (.+) -->$/.exec(line) ?? [];
    if (aside !== undefined) sections.at(-1)?.steps.push({ kind: 'aside', text: aside });
    const [, language] = /^```(\w+)$/.exec(line) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end === -1) throw new Error(`docs/guide.md:${at + 1}: a block without an end`);
    sections.at(-1)?.steps.push(...stepsOfBlock(language, lines.slice(at + 1, end), at + 1));
    at = end;
  }
  return sections.filter(({ steps }) => steps.length > 0);
};
