import type { Argument, Command, Option } from 'commander';
import type { ClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';
import { type Answer, type Candidate, FILES, NOTHING, only, showAnswer } from './answer.ts';
import { findPlace, type Place } from './find-place.ts';

const load = () => import('./cluster-candidates.ts');

const visible = ({ commands }: Command): readonly Candidate[] =>
  commands
    // commander keeps to itself which commands it hides.
    .filter((command) => !(command as Command & { readonly _hidden?: boolean })._hidden)
    .map((command) => ({ value: command.name(), description: command.description() }));

const completeFlags = (options: readonly Option[]): Answer => {
  const shown = options.filter(({ hidden }) => !hidden);
  const flags = shown.flatMap(({ long, description }) => (long ? [{ value: long, description }] : []));
  return only([...flags, { value: '--help', description: 'show what there is' }]);
};

const completeValue = async (option: Option, cluster: ClusterOptions, invocation: Invocation): Promise<Answer> => {
  if (option.argChoices !== undefined) return only(option.argChoices.map((value) => ({ value })));
  switch (option.attributeName()) {
    case 'namespace':
    case 'probeNamespace':
      return only(await (await load()).namespaceCandidates(cluster, invocation));
    case 'context':
      return only((await load()).kubeconfigCandidates('contexts', cluster));
    case 'cluster':
      return only((await load()).kubeconfigCandidates('clusters', cluster));
    case 'user':
      return only((await load()).kubeconfigCandidates('users', cluster));
    case 'kubeconfig':
    case 'certificateAuthority':
      return FILES;
    default:
      return NOTHING;
  }
};

/** The argument that a word is for; the last one may take many. */
const argumentAt = ({ registeredArguments }: Command, at: number): Argument | undefined => {
  const last = registeredArguments.at(-1);
  return registeredArguments[at] ?? (last?.variadic ? last : undefined);
};

/** Of a cluster that does not answer: what else fits is still to be offered. */
const releasesOrNone = async (cluster: ClusterOptions, invocation: Invocation): Promise<readonly Candidate[]> => {
  try {
    return await (await load()).releaseCandidates(cluster, invocation);
  } catch {
    return [];
  }
};

const completeArgument = async (
  { command, words, cluster }: Extract<Place, { at: 'argument' }>,
  invocation: Invocation,
): Promise<Answer> => {
  const argument = argumentAt(command, words.length);
  if (argument === undefined) return NOTHING;
  if (argument.argChoices !== undefined) return only(argument.argChoices.map((value) => ({ value })));
  if (command.name() === 'policy') return only(await (await load()).policyCandidates(cluster, invocation));
  if (!argument.name().startsWith('release')) return NOTHING;
  const isForNamespace = (cluster as { readonly namespaceWide?: boolean }).namespaceWide === true;
  const releases = isForNamespace ? [] : await releasesOrNone(cluster, invocation);
  const states = argument.name().endsWith('-state') && (words.length > 0 || isForNamespace) ? ['on', 'off'] : [];
  return only([...states.map((value) => ({ value })), ...releases].filter(({ value }) => !words.includes(value)));
};

const answer = async (place: Place, program: Command, invocation: Invocation): Promise<Answer> => {
  switch (place.at) {
    case 'command':
      return only(visible(program));
    case 'flag':
      return completeFlags(place.options);
    case 'value':
      return completeValue(place.option, place.cluster, invocation);
    case 'argument':
      return completeArgument(place, invocation);
    default:
      return NOTHING;
  }
};

/** Of Helm's words, those that our own commands have as well are ours. */
const wraps =
  (program: Command, { by }: Invocation) =>
  (word: string): 'from here' | 'from the next' | undefined => {
    if (by !== 'helm') return word === 'lock' ? 'from the next' : undefined;
    const ours = program.commands.find((command) => command.name() === word);
    // Those that are only listed take whatever Helm takes.
    return word !== 'help' && (ours === undefined || ours.registeredArguments[0]?.name() === 'args')
      ? 'from here'
      : undefined;
  };

/**
 * Answers `belay __complete WORD… TYPED`. Never fails: a cluster that does not answer, or may not be read, has nothing to offer. Nothing
 * goes to stderr, which Helm 4 would take for candidates.
 */
export const complete = async (program: Command, words: readonly string[], invocation: Invocation): Promise<string> => {
  const place = findPlace(program, words, wraps(program, invocation));
  if (place.at === 'helm') {
    const { completeHelm } = await import('./helm-candidates.ts');
    return completeHelm(place.words, place.cluster);
  }
  const typed = place.at === 'value' ? place.typed : (words.at(-1) ?? '');
  try {
    return showAnswer(await answer(place, program, invocation), typed);
  } catch {
    return showAnswer(NOTHING, typed);
  }
};
