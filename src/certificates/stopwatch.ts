/** For how long the same text has been shown, call after call. 0 for no text. */
export const createStopwatch = (steadyMs: () => number): ((text: string | undefined) => number) => {
  let shown: string | undefined;
  let sinceMs = 0;
  return (text) => {
    if (text !== shown) sinceMs = steadyMs();
    shown = text;
    return text === undefined ? 0 : steadyMs() - sinceMs;
  };
};
