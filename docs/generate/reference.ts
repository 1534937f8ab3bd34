import { annotations } from './annotations.ts';
import { auditAnnotations } from './audit-annotations.ts';
import { companion } from './companion.ts';
import { denialCodes } from './denial-codes.ts';
import { events } from './events.ts';
import { metrics } from './metrics.ts';
import { policy } from './policy-fields.ts';
import { serveFlags } from './serve-flags.ts';
import { verbs } from './verbs.ts';

const HEAD = `<!-- Made by \`make generate\` of the source: what is changed here by hand is lost. -->

# Reference

Every annotation, policy field, code, Event, metric and command of Belay. How they are used, with worked cases: [guide.md](guide.md).`;

/** The text of docs/reference.md, made from the source that it describes. */
export const referenceText = async (): Promise<string> => {
  const parts = [HEAD, annotations(), await verbs(), policy(), denialCodes(), events(), auditAnnotations()];
  return `${[...parts, await metrics(), companion(), await serveFlags()].join('\n\n')}\n`;
};
