import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_LIFETIMES, MIN_LEAF_MS, MIN_LEAVES_PER_AUTHORITY } from '../../certificates/lifetimes.ts';
import { CERTIFICATES_SECRET } from '../../certificates/secret-name.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';
import type { ServeOptions } from '../../serve.ts';
import { parseDuration } from '../../text/duration.ts';
import { EXIT, Failure } from '../failure.ts';
import { differingIntervals, readIntervals } from '../intervals.ts';

const duration = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a duration such as 90s, 10m or 1h30m.');
  return ms;
};

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('Write a port from 1 to 65535.');
  return value;
};

const seconds = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('Write a number of seconds.');
  return value;
};

/** Shortest `--stale-after`: Helm itself says nothing for as long as one object takes to write. */
const MIN_STALE_AFTER_MS = 5_000;

const staleAfter = (text: string): number => {
  const ms = duration(text);
  if (ms < MIN_STALE_AFTER_MS) throw new InvalidArgumentError('Less than 5s would call living operations dead.');
  return ms;
};

/** Throws for a file that holds no certificate: Belay would refuse every review. */
const readClients = ({ clientCaFile, clientName }: Flags): ServeOptions['reviewClients'] => {
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

const certificateLifetime = (text: string): number => {
  const ms = duration(text);
  if (ms < MIN_LEAF_MS) throw new InvalidArgumentError('Less than 1m leaves no time to renew it.');
  return ms;
};

/** A name that is a DNS subdomain, as the API server takes it for a Secret. */
const secretName = (text: string): string => {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Write the name of a Secret.');
};

/** As commander parses them. */
interface Flags {
  readonly certificates: 'self' | 'secret';
  readonly certificatesSecret: string;
  readonly caBundle: 'inject' | 'leave';
  readonly caLifetime: number;
  readonly certificateLifetime: number;
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly staleAfter: number;
  readonly objectsFail: 'open' | 'closed';
  readonly drainSeconds: number;
  readonly logLevel: string;
  readonly clientCaFile?: string;
  readonly clientName: readonly string[];
}

/** The webhook itself: for the Deployment, not for people. */
export const addServe = (program: Command): void => {
  program
    .command('serve')
    .description('answer the admission reviews of an API server')
    .option('--kubeconfig <file>', 'how to reach the cluster; in a pod its service account is used')
    .option('--namespace <name>', "Belay's own namespace", process.env.POD_NAMESPACE ?? 'belay-system')
    .option('--service <name>', 'the Service through which the API server calls', 'belay')
    .option('--address <ip>', 'address to listen on', '0.0.0.0')
    .addOption(
      new Option('--certificates <self|secret>', 'who makes the certificates: Belay itself, or the owner of a Secret')
        .choices(['self', 'secret'])
        .default('self'),
    )
    .addOption(
      new Option('--certificates-secret <name>', 'the Secret that holds them; with --certificates=secret only read')
        .argParser(secretName)
        .default(CERTIFICATES_SECRET),
    )
    .addOption(
      new Option('--ca-bundle <inject|leave>', 'who writes the caBundle of the webhooks: Belay, or somebody else')
        .choices(['inject', 'leave'])
        .default('inject'),
    )
    .addOption(
      new Option('--ca-lifetime <duration>', "life of Belay's own authority")
        .argParser(duration)
        .default(DEFAULT_LIFETIMES.authorityMs, '3652d'),
    )
    .addOption(
      new Option('--certificate-lifetime <duration>', 'life of the certificates that it signs')
        .argParser(certificateLifetime)
        .default(DEFAULT_LIFETIMES.leafMs, '365d'),
    )
    .addOption(new Option('--port <port>', 'port for reviews (TLS)').argParser(port).default(8443))
    .addOption(new Option('--metrics-port <port>', 'port for /metrics (plain HTTP)').argParser(port).default(9090))
    .addOption(
      new Option('--stale-after <duration>', 'silence after which an operation counts as dead')
        .argParser(staleAfter)
        .default(DEFAULT_STALE_AFTER_MS, '10m'),
    )
    .addOption(
      new Option(
        '--objects-fail <open|closed>',
        'what becomes of a change of an object that could not be judged in time',
      )
        .choices(['open', 'closed'])
        .default('open'),
    )
    .addOption(
      new Option('--drain-seconds <seconds>', 'how long to go on serving after SIGTERM').argParser(seconds).default(10),
    )
    .addOption(
      new Option('--log-level <level>', 'what to log').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .option(
      '--client-ca-file <file>',
      'take reviews only from clients with a certificate of these authorities (PEM); without it, from whoever can connect',
    )
    .option(
      '--client-name <name>',
      'and only of this common name; may be given several times',
      (name: string, names: readonly string[]) => [...names, name],
      [],
    )
    .action(async (options: Flags, command: Command) => {
      const reviewClients = readClients(options);
      const { caLifetime, certificateLifetime, certificates, caBundle } = options;
      if (caLifetime < MIN_LEAVES_PER_AUTHORITY * certificateLifetime) {
        command.error(`error: --ca-lifetime must be ${MIN_LEAVES_PER_AUTHORITY} times --certificate-lifetime or more`);
      }
      if (certificates === 'self' && caBundle === 'leave') {
        command.error('error: --ca-bundle=leave needs --certificates=secret: nobody else knows the authority');
      }
      const intervals = await readIntervals(process.env);
      const { serve } = await import('../../serve.ts');
      await serve({
        ...options,
        kubeconfig: options.kubeconfig,
        certificates: {
          issuer: certificates,
          secret: options.certificatesSecret,
          inject: caBundle === 'inject',
          lifetimes: { authorityMs: caLifetime, leafMs: certificateLifetime },
        },
        staleAfterMs: options.staleAfter,
        intervals,
        differingIntervals: differingIntervals(intervals),
        drainMs: options.drainSeconds * 1000,
        reviewClients,
      });
    });
};
