import { realpathSync } from 'node:fs';
import { basename, sep } from 'node:path';

/** How the program was started: by its own name, as a plugin of kubectl, or as a plugin of Helm. */
export interface Invocation {
  readonly by: 'belay' | 'kubectl' | 'helm';
  /** The text before a command in usage lines: `belay`, `kubectl belay`, `helm lock`. */
  readonly name: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const realPath = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/**
 * Helm marks a plugin by environment variables. Every program that the plugin starts inherits them, so a `belay` outside of the plugin's
 * directory was not started by Helm. https://helm.sh/docs/topics/plugins/#environment-variables
 */
const isHelmPlugin = (script: string, env: Environment): boolean => {
  const { HELM_PLUGIN_NAME, HELM_BIN, HELM_PLUGIN_DIR } = env;
  if (!HELM_PLUGIN_NAME || !HELM_BIN) return false;
  return !HELM_PLUGIN_DIR || realPath(script).startsWith(realPath(HELM_PLUGIN_DIR) + sep);
};

/** `script` is argv[1]. A symbolic link keeps its own name there. */
export const readInvocation = (script: string, env: Environment): Invocation => {
  const called = basename(script).replace(/\.(js|mjs|exe)$/, '');
  if (called === 'kubectl-belay' || called === 'oc-belay')
    return { by: 'kubectl', name: called === 'oc-belay' ? 'oc belay' : 'kubectl belay' };
  if (!isHelmPlugin(script, env)) return { by: 'belay', name: 'belay' };
  const plugin = env.HELM_PLUGIN_NAME ?? '';
  return { by: 'helm', name: `helm ${/^[\w-]+$/.test(plugin) ? plugin : 'lock'}` };
};
