/** The Secret of Belay's own certificates. The name has a file of its own, so that the command line does not load the code that reads the Secret. */
export const CERTIFICATES_SECRET = 'belay-certificates';
