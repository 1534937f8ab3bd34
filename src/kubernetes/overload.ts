/** There is too much to do at once. It is thrown so that no queue grows without bound. The caller is told of the overload, not of a failure of Belay. */
export class Overload extends Error {
  override readonly name = 'Overload';
}
