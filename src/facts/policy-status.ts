import type { PolicyProblem } from '../policy/parse-policy.ts';
import { escapeText, showName, showPath } from '../text/escape.ts';
import type { StoredPolicy } from './stored-policy.ts';

export const POLICIES_PATH = '/apis/belay.dev/v1alpha1/releasepolicies';

/** A metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** `status` of a ReleasePolicy. Belay alone writes it. */
export interface PolicyStatus {
  readonly conditions: readonly Condition[];
  readonly observedGeneration: number;
  /** How many releases this policy is in force on. Absent until they have been counted. */
  readonly matchedReleases?: number;
  /** The newest version that could be read: it is in force. Absent while there is none. */
  readonly accepted?: { readonly generation: number; readonly spec: unknown };
}

/** Enough problems to correct a policy by. A condition's message may hold 32768 characters, but `kubectl describe` prints it in one line. */
const MAX_PROBLEMS = 10;
const MAX_PROBLEM_CHARACTERS = 300;

const showProblem = ({ field, problem }: PolicyProblem): string =>
  `${showPath(field)}: ${escapeText(problem, MAX_PROBLEM_CHARACTERS)}`;

const describeInvalid = ({ problems, accepted }: StoredPolicy): string => {
  const more = problems.length > MAX_PROBLEMS ? `; and ${problems.length - MAX_PROBLEMS} more` : '';
  const outcome =
    accepted === undefined
      ? 'This policy is ignored.'
      : `This version is ignored: generation ${accepted.generation} stays in force.`;
  return `${problems.slice(0, MAX_PROBLEMS).map(showProblem).join('; ')}${more}. ${outcome}`;
};

/** Policies of one priority: where several of them match a release, the first by name is in force. */
const describeAccepted = (stored: StoredPolicy, all: readonly StoredPolicy[]): string => {
  const { accepted, name } = stored;
  const equals = all.filter(
    (other) => other.uid !== stored.uid && other.accepted?.policy.priority === accepted?.policy.priority,
  );
  const inForce = 'In force on the releases that it matches and no policy of a higher priority does.';
  if (equals.length === 0) return inForce;
  const names = equals.map((other) => other.name).sort();
  const shown = names.slice(0, MAX_PROBLEMS).map(showName).join(', ');
  const more = names.length > MAX_PROBLEMS ? ` and ${names.length - MAX_PROBLEMS} more` : '';
  const first = names.every((other) => name < other) ? ', here this one' : '';
  return `${inForce} Of the same priority: ${shown}${more}; where several match, the first by name is in force${first}.`;
};

export interface StatusFacts {
  /** All policies: some may have the same priority as this one. */
  readonly all: readonly StoredPolicy[];
  /** Undefined: not counted yet. */
  readonly matchedReleases: number | undefined;
  readonly nowMs: number;
}

/** The status that a policy is to have. Where nothing has changed it equals the status that is stored, and nothing is written. */
export const toPolicyStatus = (stored: StoredPolicy, { all, matchedReleases, nowMs }: StatusFacts): PolicyStatus => {
  const { generation, problems, accepted } = stored;
  const current = (stored.object.status ?? {}) as Partial<PolicyStatus>;
  const conditions = current.conditions ?? [];
  const before = conditions.find(({ type }) => type === 'Ready');
  const status = problems.length === 0 ? 'True' : 'False';
  const ready: Condition = {
    type: 'Ready',
    status,
    observedGeneration: generation,
    // The API's own precision is a second.
    lastTransitionTime:
      before?.status === status ? before.lastTransitionTime : `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    reason: status === 'True' ? 'Accepted' : 'Invalid',
    message: status === 'True' ? describeAccepted(stored, all) : describeInvalid(stored),
  };
  const counted = matchedReleases ?? current.matchedReleases;
  return {
    conditions: before === undefined ? [...conditions, ready] : conditions.map((one) => (one === before ? ready : one)),
    observedGeneration: generation,
    ...(counted !== undefined && { matchedReleases: counted }),
    ...(accepted !== undefined && { accepted: { generation: accepted.generation, spec: accepted.spec ?? {} } }),
  };
};
