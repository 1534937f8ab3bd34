import type { Command } from 'commander';
import type { Invocation } from '../../invocation.ts';
import { declareLock, forOption, reasonOption, runAction, untilOption } from '../declare.ts';

export const addOpen = (program: Command, invocation: Invocation): void => {
  const open = declareLock(program, 'open', 'allow changes by hand to what releases manage, for a while', {
    options: [reasonOption(), forOption(), untilOption()],
  });
  runAction(open, invocation, (actions) => actions.open);
  const close = declareLock(program, 'close', 'end that before its time');
  runAction(close, invocation, (actions) => actions.close);
};
