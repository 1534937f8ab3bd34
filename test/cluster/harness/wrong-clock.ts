/**
 * Loaded before Belay (`node --import='file:///…/wrong-clock.ts?file=<path>' dist/belay.js`), this makes the clock of its machine a wrong one: by as
 * many milliseconds as that file says, which is read anew when it changes. What runs then is Belay as it ships.
 */
import { readFileSync, watchFile } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = new URL(import.meta.url).searchParams.get('file');
if (file === null) throw new Error(`${fileURLToPath(import.meta.url)} is told a file by ?file=`);
const read = (): number => Number(readFileSync(file, 'utf8'));
const rightMs = Date.now;
let offsetMs = read();
watchFile(file, { persistent: false, interval: 200 }, () => {
  offsetMs = read();
});
Date.now = () => rightMs() + offsetMs;
