import type { Argument, Command, Option } from 'commander';
import type { ClusterOptions } from '../access/cluster-options.ts';
import type { Invocation } from '../invocation.ts';
import { type Answer, type Candidate, FILES, NOTHING, only, showAnswer } from './answer.ts';
import { findPlace, type Place } from './find-place.ts';

const load = () => import('./cluster-candidates.ts');

const visible = ({ commands }: Command): readonly Candidate[] =>
  commands
    // commander has no public way to tell which commands are hidden.
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

/** The argument for the word at this place. The last argument may take many words. */
const argumentAt = ({ registeredArguments }: Command, at: number): Argument | undefined => {
  const last = registeredArguments.at(-1);
  return registeredArguments[at] ?? (last?.variadic ? last : undefined);
};

/** None when the cluster does not answer. The other candidates are still offered. */
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

/** Whether a word begins Helm's command line. A word that Belay's own commands have too is Belay's. */
const wraps =
  (program: Command, { by }: Invocation) =>
  (word: string): 'from here' | 'from the next' | undefined => {
    if (by !== 'helm') return word === 'lock' ? 'from the next' : undefined;
    const ours = program.commands.find((command) => command.name() === word);
    // These commands are declared only to be listed. Helm reads their arguments.
    return word !== 'help' && (ours === undefined || ours.registeredArguments[0]?.name() === 'args')
      ? 'from here'
      : undefined;
  };

/**
 * Answers `belay __complete WORD… TYPED`. Never fails: without an answer of the cluster there are no candidates from it. Writes nothing to
 * stderr, because Helm 4 would take that for candidates.
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
