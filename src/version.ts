/** As in package.json: a unit test holds them equal. */
export const VERSION = '0.1.0';
