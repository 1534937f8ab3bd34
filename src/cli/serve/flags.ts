import { type Command, Option } from 'commander';
import { DEFAULT_LIFETIMES } from '../../certificates/lifetimes.ts';
import { CERTIFICATES_SECRET } from '../../certificates/secret-name.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../policy/policy-in-force.ts';
import { certificateLifetime, duration, port, seconds, secretName, staleAfter } from './flag-values.ts';

/** The flags of `belay serve`, as commander parses them. */
export interface ServeFlags {
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

/** How Belay reaches the cluster, and how the API server reaches Belay. */
const addClusterFlags = (command: Command): Command =>
  command
    .option('--kubeconfig <file>', 'how to reach the cluster; in a pod its service account is used')
    .option('--namespace <name>', "Belay's own namespace", process.env.POD_NAMESPACE ?? 'belay-system')
    .option('--service <name>', 'the Service through which the API server calls', 'belay')
    .option('--address <ip>', 'address to listen on', '0.0.0.0');

/** Who makes the certificates, where they are kept, and how long they are valid. */
const addCertificateFlags = (command: Command): Command =>
  command
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
    );

/** Ports, limits and the log. */
const addServingFlags = (command: Command): Command =>
  command
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
    );

/** Which clients may send reviews. */
const addClientFlags = (command: Command): Command =>
  command
    .option(
      '--client-ca-file <file>',
      'take reviews only from clients with a certificate of these authorities (PEM); without it, from whoever can connect',
    )
    .option(
      '--client-name <name>',
      'and only of this common name; may be given several times',
      (name: string, names: readonly string[]) => [...names, name],
      [],
    );

/** Adds every flag, in the order in which help lists them. */
export const addServeFlags = (command: Command): Command =>
  addClientFlags(addServingFlags(addCertificateFlags(addClusterFlags(command))));
