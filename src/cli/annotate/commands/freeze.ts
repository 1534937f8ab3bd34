import type { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { declareLock, forOption, reasonOption, runAction, untilOption } from '../declare.ts';

export const addFreeze = (program: Command, invocation: Invocation): void => {
  const freeze = declareLock(program, 'freeze', 'let nothing about releases change until they are unfrozen', {
    options: [reasonOption(), forOption(), untilOption()],
  });
  runAction(freeze, invocation, (actions) => actions.freeze);
  const unfreeze = declareLock(program, 'unfreeze', 'lift a freeze');
  runAction(unfreeze, invocation, (actions) => actions.unfreeze);
};
