import type { Autoscalers } from '../../facts/autoscalers.ts';
import type { InstalledPresets } from '../../facts/installed-presets.ts';
import { asksForInstalled, type LeftWhen } from '../../policy/left-paths.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Denial, Verdict } from '../../rules/verdict.ts';
import { type GovernedWrite, scopeOf } from './governed-write.ts';

export interface LookFurtherDependencies {
  readonly autoscalers: Autoscalers;
  readonly presets: InstalledPresets;
}

type Drift = Extract<Denial, { code: 'BelayDrift' }>;

/** The drift for which a write is refused, or would be if the policy enforced it. */
const driftIn = (verdict: Verdict): Drift | undefined =>
  (verdict.allowed ? (verdict.waived ?? []).map(({ denial }) => denial) : [verdict.denial]).find(
    (denial): denial is Drift => denial.code === 'BelayDrift',
  );

/** What is asked only before a write is refused: which controllers are installed, and whether an autoscaler sets the number of replicas. */
export const lookFurther = async (
  { autoscalers, presets }: LookFurtherDependencies,
  { write: { username, object } }: GovernedWrite,
  policy: Policy,
  verdict: Verdict,
  signal: AbortSignal,
): Promise<LeftWhen | undefined> => {
  const drift = driftIn(verdict);
  if (drift === undefined || drift.changes.length === 0) return undefined;
  // To people the number is as any other that the chart leaves out.
  const isScaling =
    scopeOf(policy, username) === 'ChartFields' && drift.changes.some(({ pointer }) => pointer === '/spec/replicas');
  const isAsked = asksForInstalled(policy.drift);
  if (!isScaling && !isAsked) return undefined;
  const [autoscaled, installed] = await Promise.all([
    isScaling && autoscalers.target(object, signal),
    isAsked ? presets.find(signal) : [],
  ]);
  return { autoscaled, installed };
};
