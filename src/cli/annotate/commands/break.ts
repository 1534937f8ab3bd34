import type { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { declareLock, reasonOption, runAction } from '../declare.ts';

export const addBreak = (program: Command, invocation: Invocation): void => {
  const command = declareLock(
    program,
    'break',
    'declare the operation under way dead, so that the next may take over',
    {
      argument: '<release...>',
      isForNamespaces: false,
      options: [reasonOption()],
    },
  );
  runAction(command, invocation, (actions) => actions.breakOperation);
};
