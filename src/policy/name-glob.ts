import picomatch from 'picomatch';

/** Longest name of a Kubernetes object (RFC 1123 subdomain). */
export const MAX_GLOB_LENGTH = 253;

/**
 * The characters of names, `?` for any one character and at most two `*` for any number of characters. Each star adds one nested search: a
 * name of 253 characters can cost 30 thousand steps with two stars, and 3 million steps with three.
 */
export const GLOB_PATTERN = /^[0-9A-Za-z._:?-]*(\*[0-9A-Za-z._:?-]*){0,2}$/;

/** Compiles a glob that matches GLOB_PATTERN. `*` also matches dots, because names are no paths. */
export const compileGlob = (glob: string): ((name: string) => boolean) => {
  if (glob === '*') return () => true;
  // Only `*` and `?` have a meaning: everything else that picomatch knows is switched off.
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

/** Compiles globs. A name matches where one of them does. */
export const compileGlobs = (globs: readonly string[]): ((name: string) => boolean) => {
  const compiled = globs.map(compileGlob);
  return (name) => compiled.some((matches) => matches(name));
};
