import picomatch from 'picomatch';

/** A name of a Kubernetes object is not longer (RFC 1123 subdomain). */
export const MAX_GLOB_LENGTH = 253;

/**
 * Letters, digits and what else names hold, `?` for any one character and at most two `*` for any number of them. A third star is one
 * nested search more, and of a name of 253 characters chosen for it 3 million steps where two stars take 30 thousand.
 */
export const GLOB_PATTERN = /^[0-9A-Za-z._:?-]*(\*[0-9A-Za-z._:?-]*){0,2}$/;

/** Whether a name matches a glob that GLOB_PATTERN takes. `*` matches dots too: names are no paths. */
export const compileGlob = (glob: string): ((name: string) => boolean) => {
  if (glob === '*') return () => true;
  // What GLOB_PATTERN leaves out is switched off as well: nothing but `*` and `?` has a meaning.
  const expression = picomatch.makeRe(glob, {
    dot: true,
    nobrace: true,
    nobracket: true,
    noextglob: true,
    noglobstar: true,
    nonegate: true,
  });
  return (name) => expression.test(name);
};

/** Whether a name matches one of these. */
export const compileGlobs = (globs: readonly string[]): ((name: string) => boolean) => {
  const compiled = globs.map(compileGlob);
  return (name) => compiled.some((matches) => matches(name));
};
