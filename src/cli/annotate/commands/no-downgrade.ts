import type { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { declareLock, runAction } from '../declare.ts';

export const addNoDowngrade = (program: Command, invocation: Invocation): void => {
  const command = declareLock(program, 'no-downgrade', 'let releases go to no lower chart version than is deployed', {
    argument: '<release-and-state...>',
  }).usage('RELEASE... on|off\n       on|off --namespace-wide');
  runAction(command, invocation, (actions) => actions.noDowngrade);
};
