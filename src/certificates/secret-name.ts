/** The Secret of Belay's own certificates. In a file of its own, so that the command line need not load what reads it. */
export const CERTIFICATES_SECRET = 'belay-certificates';
