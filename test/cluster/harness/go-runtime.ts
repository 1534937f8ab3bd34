/**
 * Settings of Go's garbage collector, which spare a fifth of the processor time of a run: memory is what a machine for tests has.
 * https://pkg.go.dev/runtime#hdr-Environment_Variables
 */

/** For kubectl and Helm, which end before their garbage matters; should one of them come to 1 GiB, it is collected after all. */
export const SHORT_LIVED = { GOGC: 'off', GOMEMLIMIT: '1GiB' } as const;

/** For the programs of a cluster: a heap may grow to five times of what is in use, and beyond 1 GiB no more than it must. */
export const LONG_LIVED = { GOGC: '400', GOMEMLIMIT: '1GiB' } as const;
