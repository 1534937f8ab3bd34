import { type Command, Option } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { declareLock, runAction } from '../declare.ts';

export const addPin = (program: Command, invocation: Invocation): void => {
  const pin = declareLock(program, 'pin', 'keep releases to their chart, and to some versions of it', {
    argument: '<release-and-range...>',
    options: [new Option('--current', 'the version that runs, in place of a range')],
  }).usage('RELEASE... RANGE\n       RELEASE... --current\n       RANGE --namespace-wide');
  runAction(pin, invocation, (actions) => actions.pin);
  const unpin = declareLock(program, 'unpin', 'lift a pin');
  runAction(unpin, invocation, (actions) => actions.unpin);
};
