#!/usr/bin/env node
import { showFailure, toFailure } from './cli/failure.ts';
import { readInvocation } from './cli/invocation.ts';
import { runProgram } from './cli/program.ts';

// The reader of a pipe may end first, as in `belay status | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  const [, script = '', ...args] = process.argv;
  await runProgram(args, readInvocation(script, process.env));
} catch (error) {
  const failure = toFailure(error);
  process.stderr.write(`${showFailure(failure)}\n`);
  process.exit(failure.exitCode);
}
