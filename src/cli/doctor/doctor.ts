import { EXIT } from '../failure.ts';
import type { Invocation } from '../invocation.ts';
import { describeError } from './ask.ts';
import type { CheckContext } from './check-context.ts';
import { checkLeftovers } from './check-leftovers.ts';
import { checkPolicies, checkPolicyKind } from './check-policies.ts';
import { checkRights } from './check-rights.ts';
import { checkOwnRights, checkRoles } from './check-roles.ts';
import { checkTrust } from './check-trust.ts';
import { checkApiServer, checkVersions } from './check-versions.ts';
import { checkWebhooks } from './check-webhooks.ts';
import { checkWorkload } from './check-workload.ts';
import { type ExamineOptions, examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { proveObjects } from './prove-objects.ts';
import { proveNamespaces, provePolicies } from './prove-others.ts';
import { proveEnforced, proveGuard, proveLetThrough } from './prove-records.ts';
import { type Diagnosis, print } from './report.ts';

export interface DoctorOptions extends ExamineOptions {
  readonly output: 'table' | 'json' | 'yaml';
}

/** As in `belay drift`; 1 means that it could not be found out. */
const BROKEN = 2;

type Check = (context: CheckContext) => readonly Finding[] | Promise<readonly Finding[]>;

/** Runs one check. An error inside of a check says nothing about the cluster, and must not hide the findings of the others. */
const run = async (check: Check, name: string, context: CheckContext): Promise<readonly Finding[]> => {
  try {
    return await check(context);
  } catch (error) {
    return [{ check: name, state: 'skip', says: `not checked: ${describeError(error)}` }];
  }
};

/** Runs the timed proofs one after the other, before all other checks, so that nothing else slows them down. */
const proveTimed = async (context: CheckContext): Promise<Proven> => {
  const { finding, isOut } = await proveGuard(context);
  return isOut
    ? { isOut, isAsked: true, findings: [finding] }
    : { isOut, isAsked: finding.state === 'ok', findings: [finding, ...(await proveLetThrough(context))] };
};

interface Proven {
  readonly findings: readonly Finding[];
  /** Belay cannot be called, or cannot judge. Further writes would only show the same. */
  readonly isOut: boolean;
  readonly isAsked: boolean;
}

const proveMore =
  ({ findings, isOut, isAsked }: Proven): Check =>
  async (context) => {
    if (isOut) return findings;
    const rest = await Promise.all([
      proveEnforced(context, isAsked),
      proveObjects(context),
      proveNamespaces(context),
      provePolicies(context),
    ]);
    return [...findings, ...rest.flat()];
  };

/** The checks in the order in which they are shown: first those on which the others depend. */
const checksAfter = (proven: Proven): readonly (readonly [name: string, check: Check])[] => [
  ['API server', checkApiServer],
  ['versions', checkVersions],
  ["policies' kind", checkPolicyKind],
  ['policies', checkPolicies],
  ['webhooks', checkWebhooks],
  ['certificate', checkTrust],
  ['replicas', checkWorkload],
  ['rights', checkRights],
  ['roles', checkRoles],
  ['your rights', checkOwnRights],
  ['guard', proveMore(proven)],
  ['releases', checkLeftovers],
];

/** Only these proofs decide whether Belay guards. */
const PROOFS: ReadonlySet<string> = new Set(['guard', 'guard of objects', 'guard of namespaces']);

const diagnose = (findings: readonly Finding[]): Diagnosis => {
  const proofs = findings.filter(({ check }) => PROOFS.has(check)).map(({ state }) => state);
  const guards = proofs.includes('fail') ? false : proofs.includes('ok') ? true : undefined;
  return { findings, guards };
};

const exitCodeOf = ({ findings, guards }: Diagnosis): number => {
  if (guards === false || findings.some(({ state }) => state === 'fail')) return BROKEN;
  return guards === undefined ? EXIT.failed : 0;
};

/** `belay doctor`. Rejects when there is no cluster to talk to. */
export const doctor = async (options: DoctorOptions, invocation: Invocation): Promise<void> => {
  const context = await examine(options, invocation);
  const checks = checksAfter(await proveTimed(context));
  const findings = await Promise.all(checks.map(([name, check]) => run(check, name, context)));
  const diagnosis = diagnose(findings.flat());
  await print(diagnosis, options.output);
  process.exitCode = exitCodeOf(diagnosis);
};
