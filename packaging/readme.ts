import type { Product } from './product.ts';

/** The README of every package. It points to the documentation of the project. */
export const readmeOf = ({ version, node: [major, minor] }: Product): string => `# Belay's command line, ${version}

\`helm lock\`, \`kubectl belay\` and \`belay\` are one program, in \`belay.mjs\`. It needs Node ${major}.${minor} or newer on the PATH, and nothing else.

    helm lock upgrade --install web ./shop -n shop     waits for its turn, then runs Helm
    kubectl belay status -n shop                       what is locked, by whom and why
    belay freeze web -n shop --reason "black friday"   nothing about the release changes

\`--help\` after any command tells more. The webhook itself (\`belay serve\`) is not in here: it runs in the cluster, from its image.
On Windows the packages are untested.
`;
