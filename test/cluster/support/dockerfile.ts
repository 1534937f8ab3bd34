import { readFile } from 'node:fs/promises';
import { type Copy, DockerfileParser, type From, type JSONInstruction, type PropertyInstruction } from 'dockerfile-ast';

/** One line of a stage that makes files. */
export type Step =
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string }
  | {
      readonly kind: 'copy';
      /** Name of the stage to copy from; undefined: the context. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    };

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
  readonly labels: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** `65532:65532` */
  readonly user: string | undefined;
  readonly ports: readonly number[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

type Draft = { -readonly [Key in keyof Stage]: Stage[Key] };

const unquoted = (text: string | null): string => (text ?? '').replace(/^"(.*)"$/, '$1');

/** The stages of a Dockerfile. Throws at what it does not know: what is left out here would not be tested. */
export const readDockerfile = async (path: string): Promise<readonly Stage[]> => {
  const stages: Draft[] = [];
  for (const instruction of DockerfileParser.parse(await readFile(path, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getExpandedArguments().map((argument) => argument.getValue());
    if (keyword === 'ARG') continue; // its values are expanded already
    if (keyword === 'FROM') {
      const name = (instruction as From).getBuildStage() ?? undefined;
      const empty = { steps: [], labels: {}, env: {}, user: undefined, ports: [], entrypoint: [], command: [] };
      stages.push({ image: words[0] ?? '', name, ...empty });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${keyword} before the first FROM`);
    const properties = () =>
      (instruction as PropertyInstruction)
        .getProperties()
        .map((property) => [property.getName(), unquoted(property.getValue())]);
    const exec = () => (instruction as JSONInstruction).getJSONStrings().map((word) => word.getJSONValue());
    if (keyword === 'WORKDIR') stage.steps = [...stage.steps, { kind: 'workdir', path: words[0] ?? '' }];
    else if (keyword === 'RUN')
      stage.steps = [...stage.steps, { kind: 'run', command: instruction.getRawArgumentsContent() ?? '' }];
    else if (keyword === 'COPY') {
      const flags = (instruction as Copy).getFlags();
      if (flags.some((flag) => flag.getName() !== 'from')) throw new Error(`unknown flag of COPY ${words.join(' ')}`);
      const from = flags[0]?.getValue() ?? undefined;
      const copy: Step = { kind: 'copy', from, sources: words.slice(0, -1), target: words.at(-1) ?? '' };
      stage.steps = [...stage.steps, copy];
    } else if (keyword === 'LABEL') stage.labels = { ...stage.labels, ...Object.fromEntries(properties()) };
    else if (keyword === 'ENV') stage.env = { ...stage.env, ...Object.fromEntries(properties()) };
    else if (keyword === 'USER') stage.user = words[0];
    else if (keyword === 'EXPOSE') stage.ports = words.map(Number);
    else if (keyword === 'ENTRYPOINT') stage.entrypoint = exec();
    else if (keyword === 'CMD') stage.command = exec();
    else throw new Error(`an instruction that is not known here: ${keyword}`);
  }
  return stages;
};
