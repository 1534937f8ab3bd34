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

/** Reviews of usual objects have some KiB. A longer review is mostly that of a record. */
export const LARGE_BODY_BYTES = 64 * 1024;

/**
 * Bytes of unfinished bodies that a process may still hold: anyone in the cluster may connect, and send slowly. Long bodies have a share of
 * their own, so that a flood of records leaves the reviews of objects alone, of which the API server lets pass what has no answer.
 */
export interface BodyBudget {
  smallBytes: number;
  largeBytes: number;
}

/** What one body has taken of the budget. */
const createCharge = (budget: BodyBudget) => {
  let bytes = 0;
  const move = (change: number): void => {
    if (bytes > LARGE_BODY_BYTES) budget.largeBytes += change;
    else budget.smallBytes += change;
  };
  return {
    bytes: (): number => bytes,
    /** False when there is no room left; it is charged all the same. */
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
 * Where the chunks of a body are put together: one for all, because it is read at once. New memory for each of the large ones would cost
 * more than the copying, and its megabytes, none of which JavaScript sees, would set off a collection of the whole heap every few reviews.
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

/** Node makes a buffer for each chunk. Left to the garbage collector, those of a dozen large bodies would set it off. */
const giveBack = ({ buffer, byteLength }: Buffer): void => {
  if (buffer.byteLength === byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
};
