import { EVENT_REASONS, type EventReason, typeOf } from '../../src/events/event-reasons.ts';
import { code, section, table } from './markdown.ts';

export const events = (): string =>
  section(
    'Events',
    'Events stand on the newest record of the release that is concerned, and on the object that was written. Each reason is written at most once a minute and release; what comes in between is counted by the next one. `kubectl describe` shows them for most objects, but never for a Secret: `kubectl events -n <namespace> --for=secret/<record>` does. A server-side dry run leaves none.',
    table(
      ['reason', 'type', 'meaning'],
      (Object.keys(EVENT_REASONS) as EventReason[]).map((reason) => [
        code(reason),
        typeOf(reason),
        EVENT_REASONS[reason],
      ]),
    ),
  );
