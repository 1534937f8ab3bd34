import { recordReal } from './record-real.ts';
import { writeRecording } from './recorded.ts';

/** `make record`: asks a real API server and both Helms anew, and writes down what they did. */
await writeRecording(await recordReal());
