import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { MIN_LEAVES_PER_AUTHORITY } from '../../certificates/lifetimes.ts';
import type { ServeOptions } from '../../serve.ts';
import { EXIT, Failure } from '../failure.ts';
import { differingIntervals, readIntervals } from '../intervals.ts';
import { addServeFlags, type ServeFlags } from './flags.ts';

/** Throws when the file contains no certificate: Belay would refuse every review. */
const readClients = ({ clientCaFile, clientName }: ServeFlags): ServeOptions['reviewClients'] => {
  if (clientCaFile === undefined) {
    if (clientName.length > 0) throw new Failure('--client-name goes with --client-ca-file', EXIT.usage);
    return undefined;
  }
  try {
    const ca = readFileSync(clientCaFile, 'utf8');
    new X509Certificate(ca);
    return { ca, names: clientName };
  } catch (error) {
    const problem = (error as Error).message;
    throw new Failure(`--client-ca-file: ${JSON.stringify(clientCaFile)}: ${problem}`, EXIT.usage, error);
  }
};

/** Ends the process where two flags contradict each other. */
const checkCertificateFlags = (
  { caLifetime, certificateLifetime, certificates, caBundle }: ServeFlags,
  command: Command,
): void => {
  if (caLifetime < MIN_LEAVES_PER_AUTHORITY * certificateLifetime) {
    command.error(`error: --ca-lifetime must be ${MIN_LEAVES_PER_AUTHORITY} times --certificate-lifetime or more`);
  }
  if (certificates === 'self' && caBundle === 'leave') {
    command.error('error: --ca-bundle=leave needs --certificates=secret: nobody else knows the authority');
  }
};

const toServeOptions = (
  flags: ServeFlags,
  reviewClients: ServeOptions['reviewClients'],
  intervals: ServeOptions['intervals'],
): ServeOptions => ({
  ...flags,
  kubeconfig: flags.kubeconfig,
  certificates: {
    issuer: flags.certificates,
    secret: flags.certificatesSecret,
    inject: flags.caBundle === 'inject',
    lifetimes: { authorityMs: flags.caLifetime, leafMs: flags.certificateLifetime },
  },
  staleAfterMs: flags.staleAfter,
  intervals,
  differingIntervals: differingIntervals(intervals),
  drainMs: flags.drainSeconds * 1000,
  reviewClients,
});

/** `belay serve`, the webhook itself. The Deployment runs it. */
export const addServe = (program: Command): void => {
  const command = program.command('serve').description('answer the admission reviews of an API server');
  addServeFlags(command).action(async (flags: ServeFlags) => {
    const reviewClients = readClients(flags);
    checkCertificateFlags(flags, command);
    const intervals = await readIntervals(process.env);
    const { serve } = await import('../../serve.ts');
    await serve(toServeOptions(flags, reviewClients, intervals));
  });
};
