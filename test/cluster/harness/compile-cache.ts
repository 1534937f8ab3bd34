/** Where Node keeps what it has compiled, for processes that do not inherit the environment: the runner of the tests names a directory. */
export const compileCache = (): Readonly<Record<string, string>> => {
  const { NODE_COMPILE_CACHE: dir } = process.env;
  return dir === undefined ? {} : { NODE_COMPILE_CACHE: dir };
};
