import { parse } from 'semver';
import { showName } from '../../text/escape.ts';
import { VERSION } from '../../version.ts';
import type { CheckContext } from './check-context.ts';
import type { Finding } from './finding.ts';
import { imageOf } from './workload-objects.ts';

/** `matchConditions` are on by default since Kubernetes 1.30: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ */
const OLDEST_MINOR = 30;

/** `v1.36.3-gke.100` -> 36. Undefined: it is no version of Kubernetes. */
const minorOf = (version: string): number | undefined => {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === '1' && minor !== undefined ? Number(minor) : undefined;
};

export const checkApiServer = ({ serverVersion, serverLatencyMs }: CheckContext): readonly Finding[] => {
  const check = 'API server';
  const latencyMs = Math.round(serverLatencyMs);
  const minor = minorOf(serverVersion);
  if (minor === undefined)
    return [{ check, state: 'skip', says: `it answers in ${latencyMs} ms, but does not say which version it is` }];
  const version = `Kubernetes ${showName(serverVersion)}`;
  if (minor < OLDEST_MINOR)
    return [
      {
        check,
        state: 'fail',
        says: `${version} is older than 1.${OLDEST_MINOR}, the oldest that Belay works with: matchConditions are not heeded there`,
        next: 'kubectl version',
      },
    ];
  return [{ check, state: 'ok', says: `${version} answers in ${latencyMs} ms`, latencyMs }];
};

/** `images.example.com/belay:0.1.0@sha256:…` -> 0.1.0. Undefined: the image has no tag, or its tag is no version. */
export const versionOfImage = (image: string): string | undefined => {
  const [, tag] = /:v?([^:/@]+)(?:@.*)?$/.exec(image) ?? [];
  return tag === undefined || parse(tag) === null ? undefined : tag;
};

const isSameMinor = (a: string, b: string): boolean => {
  const [left, right] = [parse(a), parse(b)];
  return left?.major === right?.major && left?.minor === right?.minor;
};

/** Compares the versions of this program and of Belay in the cluster: the checks expect what this version ships. */
export const checkVersions = ({ deployments }: CheckContext): readonly Finding[] => {
  const check = 'versions';
  if (deployments.state === 'unread') return [{ check, state: 'skip', says: `not checked: ${deployments.why}` }];
  const images = (deployments.state === 'read' ? (deployments.value.items ?? []) : []).flatMap(
    ({ spec }) => imageOf(spec?.template?.spec?.containers) ?? [],
  );
  const [image] = images;
  if (image === undefined) return [];
  const running = versionOfImage(image);
  if (running === undefined)
    return [{ check, state: 'skip', says: `the image ${showName(image)} does not tell which version of Belay it is` }];
  if (isSameMinor(running, VERSION))
    return [{ check, state: 'ok', says: `Belay ${showName(running)} in the cluster, ${VERSION} here` }];
  return [
    {
      check,
      state: 'warn',
      says: `Belay ${showName(running)} in the cluster, ${VERSION} here: what follows is held against ${VERSION}`,
      details: ['ask the same version that runs, or upgrade the older one'],
    },
  ];
};
