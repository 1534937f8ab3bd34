import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CommandOptions, CommandResult } from './command-line.ts';
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

/** Applies the manifests as they ship, and turns the Service alone towards `address`, where the local processes listen. */
export async function applyManifests(kubectl: Kubectl, address: string): Promise<void> {
  const base = join(projectDir, 'manifests', 'base');
  if (!existsSync(join(base, 'kustomization.yaml')))
    throw new Error(`Belay cannot be installed: ${base} has no kustomization.yaml`);
  await succeed(kubectl, ['apply', '-k', base]);
  // The API server dials an ExternalName as it stands, a loopback address included, and verifies `belay.belay-system.svc` still.
  const externalName = process.platform === 'linux' ? address : 'localhost';
  const patch = { spec: { type: 'ExternalName', externalName, clusterIP: null, clusterIPs: null } };
  await succeed(kubectl, [
    'patch',
    'service',
    'belay',
    `--namespace=${belayNamespace}`,
    '--type=merge',
    `--patch=${JSON.stringify(patch)}`,
  ]);
}

/**
 * Resolves when the API server's own copies of the webhook configurations and of the Service have come so far that Belay
 * answers: a release record that cannot be one is then refused by Belay, neither let through nor stopped by failurePolicy.
 */
export async function waitForReviews(kubectl: Kubectl): Promise<void> {
  const name = 'sh.helm.release.v1.belay-harness-probe.v1';
  const record = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name,
      namespace: 'default',
      labels: { owner: 'helm', name: 'somebody-else', status: 'deployed', version: '1' },
    },
    data: { release: '' },
  });
  let said = '';
  await waitUntil('the API server asks Belay', async () => {
    const { stderr } = await kubectl(['create', '--dry-run=server', '-f', '-'], { input: record });
    said = stderr;
    return stderr.includes('denied the request') || undefined;
  }).catch((cause: unknown) => {
    throw new Error(
      `the API server does not reach Belay; it last said: ${said.trim() || 'the record was let through'}`,
      { cause },
    );
  });
}

async function succeed(kubectl: Kubectl, args: readonly string[]): Promise<void> {
  const { code, stderr } = await kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed:\n${stderr}`);
}
