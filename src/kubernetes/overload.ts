/** There is too much to do at once. It is thrown so that no queue grows without bound, and tells the caller that Belay did not fail. */
export class Overload extends Error {
  override readonly name = 'Overload';
}
