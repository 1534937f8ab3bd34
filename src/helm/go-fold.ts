/** A key as Go compares it: without its case, with the Kelvin sign for a k and the long s for an s (encoding/json, fold.go). */
export const fold = (key: string): string => key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase();
