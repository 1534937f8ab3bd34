import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { MOST_OPERATIONS } from './etcd-content.ts';
import { LONG_LIVED } from './go-runtime.ts';
import type { Certificate, Pki } from './pki.ts';
import { probe } from './probe.ts';
import type { Processes, RunningProgram } from './processes.ts';
import { waitUntil } from './wait-until.ts';

export interface ApiServerPorts {
  readonly etcdClient: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

export const serviceIpRange = '10.96.0.0/16';
export const firstServiceIp = '10.96.0.1';

const AUDIT_LOG = 'audit.log';

/** Writes alone, once they are done. */
const AUDIT_POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    verbs: [create, update, patch, delete, deletecollection]
`;

/** What webhooks of a name have noted in the audit log of a plane that keeps one, oldest first. */
export async function auditAnnotations(dir: string, webhook: string): Promise<readonly AuditNote[]> {
  const lines = (await readFile(join(dir, AUDIT_LOG), 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`${webhook}/`));
  return lines.map((line) => {
    const event = JSON.parse(line) as {
      user: { username: string };
      objectRef?: { resource?: string; namespace?: string; name?: string };
      annotations?: Record<string, string>;
    };
    const notes = Object.entries(event.annotations ?? {}).filter(([key]) => key.startsWith(`${webhook}/`));
    return {
      username: event.user.username,
      object: [event.objectRef?.resource, event.objectRef?.namespace, event.objectRef?.name].join('/'),
      notes: Object.fromEntries(notes.map(([key, value]) => [key.slice(webhook.length + 1), value])),
    };
  });
}

export interface AuditNote {
  readonly username: string;
  /** `secrets/shop/web` */
  readonly object: string;
  readonly notes: Readonly<Record<string, string>>;
}

/**
 * What makes the API server show webhooks a certificate. The port belongs to the name of the user, because it is not 443.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers
 */
async function writeAdmissionConfig(dir: string, { certificate, key }: Certificate): Promise<string> {
  const kubeConfigFile = join(dir, 'webhooks.kubeconfig');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
  const kubeconfig = { apiVersion: 'v1', kind: 'Config', users: [{ name: 'belay.belay-system.svc:8443', user }] };
  await writeFile(kubeConfigFile, JSON.stringify(kubeconfig), { mode: 0o600 });
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'WebhookAdmissionConfiguration',
    kubeConfigFile,
  };
  const plugins = ['ValidatingAdmissionWebhook', 'MutatingAdmissionWebhook'].map((name) => ({ name, configuration }));
  const file = join(dir, 'admission.json');
  await writeFile(
    file,
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }),
  );
  return file;
}

/** Starts etcd and kube-apiserver, and resolves when the API server says that it is ready. */
export async function startApiServer({
  bin,
  dir,
  address,
  ports,
  pki,
  processes,
  auditLog,
  reviewClient,
}: {
  bin: Binaries<'etcd' | 'kube-apiserver'>;
  dir: string;
  address: string;
  ports: ApiServerPorts;
  pki: Pki;
  processes: Processes;
  auditLog: boolean;
  reviewClient: string | undefined;
}): Promise<RunningProgram[]> {
  const etcdUrl = `http://${address}:${ports.etcdClient}`;
  const peerUrl = `http://${address}:${ports.etcdPeer}`;
  const etcd = processes.start({
    name: 'etcd',
    command: bin.etcd,
    env: { ...process.env, ...LONG_LIVED },
    args: [
      '--name=belay',
      `--data-dir=${join(dir, 'etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=belay=${peerUrl}`,
      `--max-txn-ops=${MOST_OPERATIONS}`,
      '--unsafe-no-fsync', // Nothing in here is worth a disk's wait.
      '--log-level=warn',
    ],
  });
  const auditPolicy = join(dir, 'audit-policy.yaml');
  if (auditLog) await writeFile(auditPolicy, AUDIT_POLICY);
  const admissionConfig = reviewClient && (await writeAdmissionConfig(dir, pki.client(reviewClient, [])));
  // It waits for etcd by itself, so that both may start at once.
  const apiServer = processes.start({
    name: 'kube-apiserver',
    command: bin['kube-apiserver'],
    env: { ...process.env, ...LONG_LIVED },
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      '--endpoint-reconciler-type=none', // Endpoints may not hold a loopback address.
      `--secure-port=${ports.apiServer}`,
      `--tls-cert-file=${pki.files.serving}`,
      `--tls-private-key-file=${pki.files.servingKey}`,
      `--client-ca-file=${pki.files.ca}`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki.files.serviceAccountKey}`,
      `--service-account-signing-key-file=${pki.files.serviceAccountKey}`,
      `--service-cluster-ip-range=${serviceIpRange}`,
      '--profiling=false',
      ...(admissionConfig ? [`--admission-control-config-file=${admissionConfig}`] : []),
      ...(auditLog ? [`--audit-policy-file=${auditPolicy}`, `--audit-log-path=${join(dir, AUDIT_LOG)}`] : []),
    ],
  });
  await waitUntil(
    'the API server is ready',
    () => probe(`https://${address}:${ports.apiServer}/readyz`, { caCertificate: pki.caCertificate }),
    { dependsOn: [etcd, apiServer] },
  );
  return [etcd, apiServer];
}
