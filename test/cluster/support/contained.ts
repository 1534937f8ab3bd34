import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from '../harness/processes.ts';

/** The directory that a pod's service account is mounted at. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * As a container runtime would: a mount namespace of its own, the root read-only, with /proc and /dev as a runtime adds them, the user of the
 * image, no way to new privileges, and no variable that is not named. `$1` is the root, `$2` the files of the service account, the rest
 * the command. `exec` keeps the pid, so that signals reach Node itself.
 */
const SCRIPT = `
root=$1 account=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --bind /dev "$root/dev"
mount --bind "$account" "$root${SERVICE_ACCOUNT}"
mount -o remount,bind,ro "$root${SERVICE_ACCOUNT}"
mount -o remount,bind,ro "$root"
cd /
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
`;

/** Why no process can be contained here; undefined where one can. */
export const whyNotContained = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux') return 'a root of its own is given by the means of Linux';
  if (process.getuid?.() !== 0) return 'only root may give a process another root';
  const tried = promisify(execFile)('unshare', [
    '--mount',
    'sh',
    '-c',
    'mount -t tmpfs none /mnt && setpriv --version',
  ]);
  return tried.then(
    () => undefined,
    ({ message }: Error) => `no mount namespace is to be had here: ${message.trim()}`,
  );
};

export interface Container {
  readonly name: string;
  readonly root: string;
  /** `65532:65532` */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Files of the service account: `token`, `ca.crt`, `namespace`. */
  readonly serviceAccount: Readonly<Record<string, string>>;
  /** Where those are put, outside of the root. */
  readonly accountDir: string;
}

/** What to start to have the command run as in a container. */
export const contained = async (container: Container): Promise<Program> => {
  const { name, root, user, env, command, serviceAccount, accountDir } = container;
  for (const dir of ['proc', 'dev', SERVICE_ACCOUNT]) await mkdir(join(root, dir), { recursive: true });
  await mkdir(accountDir, { recursive: true });
  for (const [file, contents] of Object.entries(serviceAccount)) await writeFile(join(accountDir, file), contents);
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return {
    name,
    command: 'unshare',
    args: [
      '--mount',
      '--propagation=private',
      'sh',
      '-eu',
      '-c',
      SCRIPT,
      'contained',
      root,
      accountDir,
      user,
      ...command,
    ],
    // What a runtime sets where an image does not; it finds unshare, mount and chroot here as well.
    env: { PATH: path, HOME: '/', HOSTNAME: name, ...env },
  };
};
