import type { IncomingMessage } from 'node:http';

/**
 * The API server accepts an object of up to 3 MB (resource.MaxRequestBodyBytes of k8s.io/apiserver, twice etcd's default limit of
 * 1.5 MiB), and the review of an UPDATE holds two of them, old and new. The seventh MiB is for the rest of the review.
 * controller-runtime comes to the same number (pkg/webhook/admission/http.go, maxRequestSize).
 */
export const MAX_BODY_BYTES = 7 * 1024 * 1024;

export type Body<T> =
  | { readonly ok: true; readonly bytes: number; readonly content: T }
  | { readonly ok: false; readonly problem: 'too_large' | 'truncated' | 'overloaded' };

/** The review of a usual object has some KiB. A longer review is mostly about a record. */
export const LARGE_BODY_BYTES = 64 * 1024;

/**
 * How many more bytes of unfinished bodies the process may hold: anyone in the cluster may connect, and send slowly. Long bodies have their own
 * share, so that a flood of records takes no room from the reviews of objects. The API server lets an object pass when it gets no answer.
 */
export interface BodyBudget {
  smallBytes: number;
  largeBytes: number;
}

/** The part of the budget that one body has taken. */
const createCharge = (budget: BodyBudget) => {
  let bytes = 0;
  const move = (change: number): void => {
    if (bytes > LARGE_BODY_BYTES) budget.largeBytes += change;
    else budget.smallBytes += change;
  };
  return {
    bytes: (): number => bytes,
    /** False when there is no room left. The bytes are charged all the same. */
    add: (more: number): boolean => {
      move(bytes);
      bytes += more;
      move(-bytes);
      return (bytes > LARGE_BODY_BYTES ? budget.largeBytes : budget.smallBytes) >= 0;
    },
    giveBack: (): void => move(bytes),
  };
};

/**
 * Reads to the end, or to the first byte too many, and gives the bytes to `read`. The bytes are there only until `read` returns. Rejects only
 * with what `read` throws. After a byte too many, Node drops the rest as it arrives, until the listener's requestTimeout: to close a
 * connection with unread bytes would reset it, and the client would never read the answer.
 */
export const readBody = <T>(
  request: IncomingMessage,
  budget: BodyBudget,
  read: (bytes: Buffer) => T,
  maxBytes = MAX_BODY_BYTES,
): Promise<Body<T>> =>
  new Promise((resolve, reject) => {
    if (Number(request.headers['content-length']) > maxBytes) {
      request.resume();
      resolve({ ok: false, problem: 'too_large' });
      return;
    }
    const chunks: Buffer[] = [];
    const charge = createCharge(budget);
    let settled = false;

    const settle = (body: Body<T>): void => {
      if (settled) return;
      settled = true;
      charge.giveBack();
      if (!body.ok) chunks.length = 0;
      resolve(body);
    };
    const onData = (chunk: Buffer): void => {
      if (settled) return;
      const isRoom = charge.add(chunk.length);
      if (charge.bytes() > maxBytes) settle({ ok: false, problem: 'too_large' });
      else if (!isRoom) settle({ ok: false, problem: 'overloaded' });
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      if (settled) return;
      try {
        settle({ ok: true, bytes: charge.bytes(), content: read(putTogether(chunks, charge.bytes())) });
      } catch (error) {
        reject(error);
      }
    };
    const onClose = (): void => {
      if (!settled) settle({ ok: false, problem: 'truncated' });
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });

/**
 * The memory in which the chunks of a body are put together. All bodies share it, because a body is read at once. New memory for each large body
 * would cost more than the copying, and would make the garbage collector go through the whole heap every few reviews.
 */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);

const putTogether = (chunks: readonly Buffer[], bytes: number): Buffer => {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  if (bytes > scratch.length) scratch = Buffer.allocUnsafeSlow(bytes);
  let end = 0;
  for (const chunk of chunks) {
    end += chunk.copy(scratch, end);
    giveBack(chunk);
  }
  return scratch.subarray(0, end);
};

/** Frees the buffers that Node has made for the chunks. The buffers of a dozen large bodies would set off the garbage collector. */
const giveBack = ({ buffer, byteLength }: Buffer): void => {
  if (buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
};
