/**
 * Memory for long texts outside of the heap. Each review of a large record brings megabytes of text, and the garbage collector frees
 * strings of that size only when it goes through the whole heap. Buffers are used again, because new ones also start the collector.
 */
export interface TextMemory {
  /** Copies the bytes into a buffer that can be transferred to another thread. */
  hold(bytes: Uint8Array): Text;
  /** Takes back a text that nobody reads any more. Does nothing for a text whose buffer was transferred. */
  free(text: Text): void;
}

/** The bytes of a text. Its buffer belongs to this text alone, and may be longer. */
export type Text = Uint8Array<ArrayBuffer>;

/**
 * The length of a record changes little from one write to the next. Buffers have lengths in whole steps, so that one fits the next text as
 * well. A text below one step gets a buffer of its own, and a text never gets a buffer of more than twice its length.
 */
const STEP_BYTES = 64 * 1024;
const MAX_WASTE = 2;

/** Room for the two texts of some six reviews of records at their limit (1.4 MB in base64). */
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
      // The transfer detaches the old buffer: code that still holds the text finds it empty, and never another text.
      pieces.push(buffer.transfer());
    },
  };
};
