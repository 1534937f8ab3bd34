import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CommandOptions, CommandResult } from './command-line.ts';
import type { PlaneApi } from './plane-api.ts';
import { waitUntil } from './wait-until.ts';

const projectDir = join(import.meta.dirname, '..', '..', '..');
export const belayNamespace = 'belay-system';

type Kubectl = (args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

/** Makes dist/ if it is missing or older than what it is made of. */
export async function buildBelay(): Promise<void> {
  if (!existsSync(join(projectDir, 'src', 'main.ts')))
    throw new Error('Belay cannot be installed: src/main.ts does not exist');
  const bundle = join(projectDir, 'dist', 'belay.js');
  const sources = readdirSync(join(projectDir, 'src'), { recursive: true, encoding: 'utf8' });
  const inputs = [...sources.map((file) => join('src', file)), 'build.ts', 'package-lock.json'];
  const newestMs = Math.max(...inputs.map((file) => statSync(join(projectDir, file)).mtimeMs));
  if (existsSync(bundle) && statSync(bundle).mtimeMs > newestMs) return;
  await promisify(execFile)(process.execPath, [join(projectDir, 'build.ts')], { cwd: projectDir });
}

export type Overlay = 'audit' | 'strict' | 'drift' | 'repair' | 'existing-secret';

const manifestsDir = join(projectDir, 'manifests');
const policyCrd = join(manifestsDir, 'base', 'release-policy-crd.yaml');

/** Resolves when the API server knows the kind of policies: it takes a moment longer than the apply of its CRD. */
async function waitForPolicyKind(kubectl: Kubectl): Promise<void> {
  await succeed(kubectl, ['wait', '--for=condition=Established', 'crd/releasepolicies.belay.dev', '--timeout=30s']);
}

/**
 * Applies the manifests as they ship, the base or an overlay, and turns the Service alone towards `address`, where the local processes
 * listen.
 */
export async function applyManifests(kubectl: Kubectl, address: string, overlay?: Overlay): Promise<void> {
  const dir = overlay === undefined ? join(manifestsDir, 'base') : join(manifestsDir, 'overlays', overlay);
  if (!existsSync(join(dir, 'kustomization.yaml')))
    throw new Error(`Belay cannot be installed: ${dir} has no kustomization.yaml`);
  if (overlay !== undefined) {
    // An overlay may hold a policy, and the first apply of one fails where its kind is not known.
    await succeed(kubectl, ['apply', '-f', policyCrd]);
    await waitForPolicyKind(kubectl);
  }
  await succeed(kubectl, ['apply', '-k', dir]);
  await waitForPolicyKind(kubectl);
  await turnService(kubectl, address, belayNamespace);
}

/** Turns the Service towards `address`. */
export async function turnService(kubectl: Kubectl, address: string, namespace: string): Promise<void> {
  // The API server dials an ExternalName as it stands, a loopback address included, and verifies `belay.<namespace>.svc` still.
  const externalName = process.platform === 'linux' ? address : 'localhost';
  const patch = { spec: { type: 'ExternalName', externalName, clusterIP: null, clusterIPs: null } };
  await succeed(kubectl, [
    'patch',
    'service',
    'belay',
    `--namespace=${namespace}`,
    '--type=merge',
    `--patch=${JSON.stringify(patch)}`,
  ]);
}

/**
 * Resolves when the API server's own copies of the webhook configurations and of the Service have come so far that Belay
 * answers: a lock that nobody knows is then refused by Belay, neither let through nor stopped by failurePolicy. Whatever the policies
 * say, that is never let pass; and both configurations ask about it.
 */
export async function waitForReviews(api: PlaneApi): Promise<void> {
  const metadata = { name: 'belay-harness-probe', annotations: { 'belay.dev/harness-probe': 'x' } };
  let said = '';
  await waitUntil('the API server asks Belay', async () => {
    said = await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata }, { dryRun: true }).then(
      () => '',
      (error: unknown) => String(error),
    );
    return said.includes('denied the request') || undefined;
  }).catch((cause: unknown) => {
    throw new Error(`the API server does not reach Belay; it last said: ${said.trim() || 'the lock was let through'}`, {
      cause,
    });
  });
}

async function succeed(kubectl: Kubectl, args: readonly string[]): Promise<void> {
  const { code, stderr } = await kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed:\n${stderr}`);
}
