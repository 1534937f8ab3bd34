import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSameProcess, type RecordedProcess } from './processes.ts';

/** The control plane that `make up` leaves running. */
export const keptDir = join(import.meta.dirname, '..', '..', '..', '.cluster');
const stateFile = join(keptDir, 'state.json');

export interface KeptPlane {
  /** What was asked for; another wish means a restart. */
  readonly wanted: string;
  /** Version of the API server, such as `v1.36.3`. */
  readonly kubernetes: string;
  readonly server: string;
  readonly processes: readonly RecordedProcess[];
}

export async function readKeptPlane(): Promise<KeptPlane | undefined> {
  return existsSync(stateFile) ? (JSON.parse(await readFile(stateFile, 'utf8')) as KeptPlane) : undefined;
}

export const writeKeptPlane = (plane: KeptPlane): Promise<void> => writeFile(stateFile, JSON.stringify(plane, null, 2));

export const isRunning = ({ processes }: KeptPlane): boolean => processes.length > 0 && processes.every(isSameProcess);
