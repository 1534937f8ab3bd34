import { METADATA_LIST_ONLY, METADATA_ONLY } from '../../src/kubernetes/api.ts';
import type { WireRequest } from '../memory/api-server.ts';

/** One request of the recording; `version` puts the resourceVersion of an object that was answered before into its body. */
export interface Exchange {
  readonly what: string;
  readonly request: WireRequest;
  /** Which earlier answer the body's resourceVersion is taken from, or the watch's. */
  readonly versionOf?: string;
  /** Collects what a watch tells up to now instead. */
  readonly isWatch?: boolean;
}

const core = '/api/v1/namespaces/shop';
const secrets = `${core}/secrets`;
const leases = '/apis/coordination.k8s.io/v1/namespaces/shop/leases';
const deployments = '/apis/apps/v1/namespaces/shop/deployments';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';

const record = (revision: number, status: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'helm.sh/release.v1',
  metadata: {
    name: `sh.helm.release.v1.web.v${revision}`,
    labels: { owner: 'helm', name: 'web', status, version: String(revision) },
  },
  data: { release: 'eA==' },
});

const lease = (holderIdentity: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'belay.web', labels: { 'belay.dev/claim': 'true' } },
  spec: { holderIdentity, leaseDurationSeconds: 600 },
});

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'web', image: 'nginx:1.27' }] },
    },
  },
};

const applied = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data });

const mayLock = (user: string, verb: string, namespace: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: { user, resourceAttributes: { group: 'belay.dev', resource: 'releases', verb, namespace, name: 'web' } },
});

/** What Belay asks an API server, and what others write before its eyes. In order: later rows change what earlier ones made. */
export const EXCHANGES: readonly Exchange[] = [
  { what: 'an empty list', request: { path: secrets, query: { labelSelector: 'owner=helm' } } },
  { what: 'an object that is not there', request: { path: `${secrets}/none` } },
  { what: 'a create', request: { method: 'POST', path: secrets, body: record(1, 'deployed') } },
  { what: 'the same create again', request: { method: 'POST', path: secrets, body: record(1, 'deployed') } },
  {
    what: 'a dry-run create',
    request: { method: 'POST', path: secrets, query: { dryRun: 'All' }, body: record(2, 'failed') },
  },
  { what: 'what a dry run left', request: { path: `${secrets}/${record(2, '').metadata.name}` } },
  {
    what: 'a create in a namespace that is not there',
    request: { method: 'POST', path: '/api/v1/namespaces/none/secrets', body: record(1, 'x') },
  },
  {
    what: 'a create of an unlabelled object',
    request: { method: 'POST', path: secrets, body: { metadata: { name: 'other' }, data: { a: 'eA==' } } },
  },
  { what: 'a list by labels', request: { path: secrets, query: { labelSelector: 'owner=helm,name=web' } } },
  {
    what: 'metadata alone, as a list',
    request: { path: secrets, query: { labelSelector: 'owner=helm' }, accept: METADATA_LIST_ONLY },
  },
  { what: 'metadata alone, of one object', request: { path: core, accept: METADATA_ONLY } },
  { what: 'the first page', request: { path: secrets, query: { limit: 1 }, accept: METADATA_LIST_ONLY } },
  {
    what: 'an update without a version',
    request: { method: 'PUT', path: `${secrets}/${record(1, '').metadata.name}`, body: record(1, 'superseded') },
  },
  {
    what: 'an update that changes nothing',
    request: { method: 'PUT', path: `${secrets}/${record(1, '').metadata.name}`, body: record(1, 'superseded') },
  },
  {
    what: 'an update of what is not there',
    request: { method: 'PUT', path: `${secrets}/${record(9, '').metadata.name}`, body: record(9, 'failed') },
  },
  {
    what: 'a merge patch',
    request: {
      method: 'PATCH',
      path: `${secrets}/${record(1, '').metadata.name}`,
      contentType: MERGE,
      body: { metadata: { annotations: { 'belay.dev/freeze': 'x' } } },
    },
  },
  {
    what: 'a merge patch that takes away',
    request: {
      method: 'PATCH',
      path: `${secrets}/${record(1, '').metadata.name}`,
      contentType: MERGE,
      body: { metadata: { annotations: { 'belay.dev/freeze': null } } },
    },
  },
  {
    what: 'a JSON patch',
    request: {
      method: 'PATCH',
      path: `${secrets}/${record(1, '').metadata.name}`,
      contentType: 'application/json-patch+json',
      body: [{ op: 'add', path: '/metadata/labels/more', value: 'y' }],
    },
  },
  {
    what: 'an object loses the label of a selector',
    request: {
      method: 'PATCH',
      path: `${secrets}/other`,
      contentType: MERGE,
      body: { metadata: { labels: { owner: 'helm' } } },
    },
  },
  {
    what: 'and loses it again',
    request: {
      method: 'PATCH',
      path: `${secrets}/other`,
      contentType: MERGE,
      body: { metadata: { labels: { owner: null } } },
    },
  },
  { what: 'a Lease', request: { method: 'POST', path: leases, body: lease('ann') } },
  { what: 'the same Lease by somebody else', request: { method: 'POST', path: leases, body: lease('bob') } },
  {
    what: 'an update with the version that was read',
    versionOf: 'a Lease',
    request: { method: 'PUT', path: `${leases}/belay.web`, body: lease('bob') },
  },
  {
    what: 'an update with a version of the past',
    versionOf: 'a Lease',
    request: { method: 'PUT', path: `${leases}/belay.web`, body: lease('cat') },
  },
  {
    what: 'a patch with a version of the past',
    versionOf: 'a Lease',
    request: {
      method: 'PATCH',
      path: `${leases}/belay.web`,
      contentType: MERGE,
      body: { spec: { holderIdentity: 'cat' } },
    },
  },
  {
    what: 'a delete with a version of the past',
    request: { method: 'DELETE', path: `${leases}/belay.web`, body: { preconditions: { resourceVersion: '1' } } },
  },
  { what: 'a delete', request: { method: 'DELETE', path: `${leases}/belay.web` } },
  { what: 'a delete of what is not there', request: { method: 'DELETE', path: `${leases}/belay.web` } },
  { what: 'a Deployment', request: { method: 'POST', path: deployments, body: deployment } },
  { what: 'its scale', request: { path: `${deployments}/web/scale` } },
  {
    what: 'a change of its scale',
    request: { method: 'PATCH', path: `${deployments}/web/scale`, contentType: MERGE, body: { spec: { replicas: 3 } } },
  },
  {
    what: 'a scale to nothing',
    request: { method: 'PATCH', path: `${deployments}/web/scale`, contentType: MERGE, body: { spec: { replicas: 0 } } },
  },
  {
    what: 'a change of its image',
    request: {
      method: 'PATCH',
      path: `${deployments}/web`,
      contentType: 'application/strategic-merge-patch+json',
      body: { spec: { template: { spec: { containers: [{ name: 'web', image: 'nginx:1.28' }] } } } },
    },
  },
  {
    what: 'a server-side apply that creates',
    request: {
      method: 'PATCH',
      path: `${core}/configmaps/applied`,
      query: { fieldManager: 'helm' },
      contentType: APPLY,
      body: applied({ a: '1', b: '1' }),
    },
  },
  {
    what: 'a server-side apply that changes and drops a field',
    request: {
      method: 'PATCH',
      path: `${core}/configmaps/applied`,
      query: { fieldManager: 'helm' },
      contentType: APPLY,
      body: applied({ a: '2' }),
    },
  },
  {
    what: 'an edit of an applied field',
    request: { method: 'PATCH', path: `${core}/configmaps/applied`, contentType: MERGE, body: { data: { a: '3' } } },
  },
  {
    what: 'a server-side apply over it',
    request: {
      method: 'PATCH',
      path: `${core}/configmaps/applied`,
      query: { fieldManager: 'helm' },
      contentType: APPLY,
      body: applied({ a: '4' }),
    },
  },
  {
    what: 'a forced one',
    request: {
      method: 'PATCH',
      path: `${core}/configmaps/applied`,
      query: { fieldManager: 'helm', force: 'true' },
      contentType: APPLY,
      body: applied({ a: '4' }),
    },
  },
  {
    what: 'an object with a finalizer',
    request: {
      method: 'POST',
      path: `${core}/configmaps`,
      body: { metadata: { name: 'held', finalizers: ['belay.dev/test'] } },
    },
  },
  { what: 'its delete', request: { method: 'DELETE', path: `${core}/configmaps/held` } },
  {
    what: 'the end of its finalizer',
    request: {
      method: 'PATCH',
      path: `${core}/configmaps/held`,
      contentType: MERGE,
      body: { metadata: { finalizers: null } },
    },
  },
  { what: 'is gone', request: { path: `${core}/configmaps/held` } },
  {
    what: 'a delete of a collection',
    request: { method: 'DELETE', path: secrets, query: { labelSelector: 'owner=helm' } },
  },
  { what: 'what it left', request: { path: secrets, query: { labelSelector: 'owner=helm' } } },
  {
    what: 'somebody who may lock',
    request: {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: mayLock('ann', 'lock', 'shop'),
    },
  },
  {
    what: 'somebody who may not unlock',
    request: {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: mayLock('ann', 'unlock', 'shop'),
    },
  },
  {
    what: 'somebody elsewhere',
    request: {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      body: mayLock('ann', 'lock', 'default'),
    },
  },
  { what: 'a kind that is not there', request: { path: '/apis/none.example/v1/things' } },
  {
    what: 'a watch of metadata from the first list on',
    isWatch: true,
    versionOf: 'an empty list',
    request: { path: secrets, query: { labelSelector: 'owner=helm' }, accept: METADATA_ONLY },
  },
];
