import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../policy/duration.ts';
import type { ServeOptions } from '../../serve.ts';
import { EXIT, Failure } from '../failure.ts';

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

/** As commander parses them. */
interface Flags {
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
    .addOption(new Option('--port <port>', 'port for reviews (TLS)').argParser(port).default(8443))
    .addOption(new Option('--metrics-port <port>', 'port for /metrics (plain HTTP)').argParser(port).default(9090))
    .addOption(
      new Option('--stale-after <duration>', 'silence after which an operation counts as dead')
        .argParser(staleAfter)
        .default(600_000, '10m'),
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
    .action(async (options: Flags) => {
      const reviewClients = readClients(options);
      const { serve } = await import('../../serve.ts');
      await serve({
        ...options,
        kubeconfig: options.kubeconfig,
        staleAfterMs: options.staleAfter,
        drainMs: options.drainSeconds * 1000,
        reviewClients,
      });
    });
};
