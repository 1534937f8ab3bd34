/**
 * Memory for long texts that JavaScript's strings would be a burden for: each review of a large record brings megabytes of them, and what
 * is that large is collected only with the whole heap. Pieces are used again, because new ones count for the collector as well.
 */
export interface TextMemory {
  /** A copy of these bytes, with a buffer of its own that can be handed over to another thread. */
  hold(bytes: Uint8Array): Text;
  /** For what nobody reads any more, or has come back from the other thread. Has no effect on what was handed over. */
  free(text: Text): void;
}

/** The bytes of a text. A buffer belongs to one text only, and may be longer. */
export type Text = Uint8Array<ArrayBuffer>;

/**
 * Records differ little from one write to the next: in steps, a piece fits the next one as well. Less than a step is not worth it, and a
 * piece much longer than its text would be wasted on it.
 */
const STEP_BYTES = 64 * 1024;
const MAX_WASTE = 2;

/** Two texts for each of some reviews of records at their limit (1.4 MB in base64). */
const MAX_FREE_BYTES = 16 * 1024 * 1024;

export const createTextMemory = (): TextMemory => {
  const pieces: ArrayBuffer[] = [];
  let freeBytes = 0;

  const take = (bytes: number): ArrayBuffer => {
    if (bytes < STEP_BYTES) return Buffer.allocUnsafeSlow(bytes).buffer;
    const index = pieces.findLastIndex(({ byteLength: size }) => size >= bytes && size <= MAX_WASTE * bytes);
    const [piece] = index === -1 ? [] : pieces.splice(index, 1);
    if (piece === undefined) return Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES).buffer;
    freeBytes -= piece.byteLength;
    return piece;
  };

  return {
    hold: (bytes) => {
      const text = new Uint8Array(take(bytes.length), 0, bytes.length);
      text.set(bytes);
      return text;
    },
    free: ({ buffer }) => {
      if (buffer.detached || buffer.byteLength < STEP_BYTES || freeBytes + buffer.byteLength > MAX_FREE_BYTES) return;
      freeBytes += buffer.byteLength;
      // Under a new name: whoever still has the old one finds it empty, not full of another text.
      pieces.push(buffer.transfer());
    },
  };
};
