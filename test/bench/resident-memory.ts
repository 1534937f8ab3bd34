import { readFileSync } from 'node:fs';

/** Of a whole process, threads and all, in MiB. */
export interface ResidentMemory {
  readonly nowMib: number;
  /** The most since its start. */
  readonly peakMib: number;
}

/** Linux alone tells it like this. */
export const residentMemoryOf = (pid: number): ResidentMemory => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { nowMib: read('VmRSS'), peakMib: read('VmHWM') };
};
