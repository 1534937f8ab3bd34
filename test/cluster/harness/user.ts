/** `make user NAME=dev GROUPS=devs,ops`: a kubeconfig for the control plane of `make up` with a client certificate of that name. */
import { join } from 'node:path';
import { keptDir, readKeptPlane } from './kept-plane.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { openPki } from './pki.ts';

const [name, ...groups] = process.argv.slice(2).flatMap((text) => text.split(/[\s,]+/).filter(Boolean));
const kept = await readKeptPlane();
const problem = !name
  ? 'Which user? make user NAME=dev GROUPS=devs'
  : !/^[\w.@-]+$/.test(name)
    ? `${name}: letters, digits and .@_- only, because it names a file`
    : name === 'admin'
      ? "admin.kubeconfig is the administrator's; choose another name"
      : !kept
        ? 'Nothing is up: make up'
        : undefined;
if (!name || !kept || problem) {
  console.error(problem);
  process.exit(1);
}
const pki = await openPki(join(keptDir, 'pki'));
const path = await writeKubeconfig(join(keptDir, `${name}.kubeconfig`), {
  server: kept.server,
  caCertificate: pki.caCertificate,
  user: pki.client(name, groups),
});
console.log(
  `${name}${groups.length > 0 ? `, in ${groups.join(', ')}` : ''}: no rights but what RBAC gives\n\nexport KUBECONFIG=${path}`,
);
