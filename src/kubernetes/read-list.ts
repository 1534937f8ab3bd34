import { listShape } from './object-shape.ts';
import { createPruner, type Shape } from './prune-json.ts';

export interface ListReading {
  /** What is kept of each item. */
  readonly shape: Shape;
  /** Rejects with AnswerTooLarge when the answer has more bytes. */
  readonly maxBytes: number;
}

/** A list that was read item by item. */
export interface StreamedList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly T[];
  /** Of the answer, with all that was left out. */
  readonly bytes: number;
}

/** A list that is read no further: it is to be asked for in smaller pages. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
  /** The items that came within the bound. */
  readonly itemsRead: number;

  constructor(itemsRead: number, maxBytes: number) {
    super(`the answer of the API server has more than ${maxBytes} bytes`);
    this.itemsRead = itemsRead;
  }
}

export type Body = AsyncIterable<Uint8Array>;

export const NO_BODY: Body = { [Symbol.asyncIterator]: async function* () {} };

/** Reads the answer to a list as it arrives, so that what is left out of the items, or is beyond the bound, takes no memory. */
export const readList = async (body: Body, { shape, maxBytes }: ListReading): Promise<StreamedList<unknown>> => {
  const items: unknown[] = [];
  const pruner = createPruner(listShape(shape), (text) => items.push(JSON.parse(text)));
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new AnswerTooLarge(items.length, maxBytes);
    pruner.push(chunk);
  }
  return { ...(JSON.parse(pruner.rest()) as object), items, bytes };
};
