import { LRUCache } from 'lru-cache';
import type { SweepIntervals } from '../intervals/intervals.ts';

/** The earlier repairs of each object, so that Belay does not fight with somebody who keeps changing it. */
export interface RepairHistory {
  /** `fight`: the object was set back several times, and somebody changed it again each time. `failed`: the last repair failed a short time ago. */
  mayRepair(object: string, nowMs: number): 'yes' | 'fight' | 'failed';
  noteRepaired(object: string, nowMs: number): void;
  noteFailed(object: string, nowMs: number): void;
}

/** A person may undo a repair twice, without knowing of it. At the third time it is a program, which will go on. */
export const MAX_REPAIRS = 3;
/** Repairs are counted within this time. Every controller reconciles at least once in it. */
export const WITHIN_MS = 3_600_000;

const MAX_REMEMBERED = 10_000;

interface Story {
  readonly repairedAtMs: readonly number[];
  readonly failures: number;
  readonly notBeforeMs: number;
}

const NEW: Story = { repairedAtMs: [], failures: 0, notBeforeMs: Number.NEGATIVE_INFINITY };

type RepairPauses = Pick<SweepIntervals, 'firstRepairPauseMs' | 'lastRepairPauseMs'>;

export const createRepairHistory = ({ firstRepairPauseMs, lastRepairPauseMs }: RepairPauses): RepairHistory => {
  const stories = new LRUCache<string, Story>({ max: MAX_REMEMBERED });
  const recent = ({ repairedAtMs }: Story, nowMs: number): readonly number[] =>
    repairedAtMs.filter((atMs) => nowMs - atMs < WITHIN_MS);
  return {
    mayRepair: (object, nowMs) => {
      const story = stories.get(object) ?? NEW;
      if (nowMs < story.notBeforeMs) return 'failed';
      return recent(story, nowMs).length >= MAX_REPAIRS ? 'fight' : 'yes';
    },
    noteRepaired: (object, nowMs) => {
      const story = stories.get(object) ?? NEW;
      stories.set(object, { ...NEW, repairedAtMs: [...recent(story, nowMs), nowMs] });
    },
    noteFailed: (object, nowMs) => {
      const story = stories.get(object) ?? NEW;
      const pauseMs = Math.min(firstRepairPauseMs * 2 ** story.failures, lastRepairPauseMs);
      stories.set(object, { ...story, failures: story.failures + 1, notBeforeMs: nowMs + pauseMs });
    },
  };
};
