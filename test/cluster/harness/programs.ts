/**
 * The programs of a real control plane: where their Go source is, what they are called on a PATH, how they tell their version.
 * The versions themselves stand in `../binaries/go.mod`, and for an older Kubernetes in the go.mod of a directory beside it, and
 * nowhere else.
 */
export const programNames = [
  'etcd',
  'kube-apiserver',
  'kubectl',
  'helm4',
  'helm3',
  'kube-controller-manager',
  'kwok',
  'kube-scheduler',
] as const;

/** In the order in which they are built: the early ones compile the libraries that the later ones share. */
export const allProgramNames = [...programNames, 'helm-sdk'] as const;

export type ProgramName = (typeof allProgramNames)[number];

export interface Program {
  /** Go package of its main function. */
  readonly package: string;
  /** Go module whose version in go.mod is the program's version. */
  readonly module: string;
  /** Of our own: the directory beside go.mod that holds its source, which is part of what the program is known by. */
  readonly source?: string;
  /** Names under which a PATH may have it. */
  readonly commands: readonly string[];
  /** Arguments that make it print its version. */
  readonly versionArgs: readonly string[];
  /** Seconds of one build on two idle cores in the order of `allProgramNames`; only the remaining time is estimated from it. */
  readonly buildSeconds: number;
}

const kubernetes = (command: string, buildSeconds: number): Program => ({
  package: `k8s.io/kubernetes/cmd/${command}`,
  module: 'k8s.io/kubernetes',
  commands: [command],
  versionArgs: command === 'kubectl' ? ['version', '--client'] : ['--version'],
  buildSeconds,
});

const helm = (major: 3 | 4, buildSeconds: number): Program => ({
  package: `helm.sh/helm/v${major}/cmd/helm`,
  module: `helm.sh/helm/v${major}`,
  commands: [`helm${major}`, 'helm'],
  versionArgs: ['version', '--short'],
  buildSeconds,
});

export const programs: Readonly<Record<ProgramName, Program>> = {
  etcd: {
    package: 'go.etcd.io/etcd/server/v3',
    module: 'go.etcd.io/etcd/server/v3',
    commands: ['etcd'],
    versionArgs: ['--version'],
    buildSeconds: 38,
  },
  'kube-apiserver': kubernetes('kube-apiserver', 150),
  kubectl: kubernetes('kubectl', 17),
  helm4: helm(4, 17),
  helm3: helm(3, 5),
  'kube-controller-manager': kubernetes('kube-controller-manager', 48),
  kwok: {
    package: 'sigs.k8s.io/kwok/cmd/kwok',
    module: 'sigs.k8s.io/kwok',
    commands: ['kwok'],
    versionArgs: ['--version'],
    buildSeconds: 7,
  },
  'kube-scheduler': kubernetes('kube-scheduler', 4),
  // It is on nobody's PATH.
  'helm-sdk': {
    package: './helm-sdk',
    module: 'helm.sh/helm/v4',
    source: 'helm-sdk',
    commands: [],
    versionArgs: [],
    buildSeconds: 15,
  },
};

/** `v1.36.3` of a module, from the text of go.mod. */
export function moduleVersion(goMod: string, module: string): string {
  const version = requiredVersion(goMod, module);
  if (version === undefined) throw new Error(`go.mod does not require ${module}`);
  return version;
}

function requiredVersion(goMod: string, module: string): string | undefined {
  const line = goMod.split('\n').find((text) => text.trim().startsWith(`${module} v`));
  return line?.trim().split(/\s+/)[1];
}

/** The linker flags that tell each program its version; a plain `go build` would leave them at v0.0.0. */
export function linkerFlags(goMod: string): string {
  const kubernetesVersion = moduleVersion(goMod, 'k8s.io/kubernetes');
  const [major, minor] = kubernetesVersion.slice(1).split('.');
  const values = {
    'k8s.io/component-base/version.gitVersion': kubernetesVersion,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/client-go/pkg/version.gitVersion': kubernetesVersion,
    // Not in the module of an older Kubernetes.
    'helm.sh/helm/v3/internal/version.version': requiredVersion(goMod, 'helm.sh/helm/v3'),
    'helm.sh/helm/v4/internal/version.version': requiredVersion(goMod, 'helm.sh/helm/v4'),
  };
  const set = Object.entries(values).filter(([, value]) => value !== undefined);
  return ['-s -w', ...set.map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}
