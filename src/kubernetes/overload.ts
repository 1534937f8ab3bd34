/** There is too much to do at once: thrown in place of a queue that grows without bound. Who gets it is told so, and not that Belay failed. */
export class Overload extends Error {
  override readonly name = 'Overload';
}
