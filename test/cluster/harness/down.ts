/** `make down`: ends what `make up` started, and that only; removes its state but for `bin/` and the logs. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keptDir, readKeptPlane } from './kept-plane.ts';
import { endRecorded, isSameProcess } from './processes.ts';

const kept = await readKeptPlane();
if (kept) {
  const running = kept.processes.filter(isSameProcess);
  await endRecorded(running, 2_000);
  for (const name of await readdir(keptDir)) {
    if (name !== 'bin' && name !== 'logs') await rm(join(keptDir, name), { recursive: true, force: true });
  }
  console.log(
    `down: ended ${running.map(({ name, pid }) => `${name} (${pid})`).join(', ') || 'nothing, all had ended before'}`,
  );
} else {
  console.log('nothing is up');
}
