import { pathOf } from '../../kubernetes/api.ts';
import { escapeText, showName } from '../../text/escape.ts';
import { type Answer, ask } from './ask.ts';
import type { CheckContext, List } from './check-context.ts';
import { atMost, count, type Finding } from './finding.ts';
import { BELAY_SELECTOR, type Budget, type EndpointSlice, imageOf, type Pod } from './workload-objects.ts';

/** Most Pods that are read. There are two or three. */
const MAX_PODS = 100;

const skipped = (check: string, why: string): Finding => ({ check, state: 'skip', says: `not checked: ${why}` });

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** Says why a Pod is not ready, as far as its status tells. */
const describePod = (pod: Pod): string => {
  const { phase, conditions, containerStatuses } = pod.status ?? {};
  const waiting = containerStatuses?.flatMap(({ state }) => state?.waiting?.reason ?? [])[0];
  const unmet = conditions?.find(({ status, message }) => status === 'False' && message)?.message;
  const restarts = Math.max(0, ...(containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount));
  const what = [phase, waiting, unmet].filter(Boolean).map((text) => escapeText(text ?? '', 160));
  return `pod ${showName(pod.metadata?.name ?? '')}: ${what.join(', ')}${restarts === 0 ? '' : `, restarted ${restarts} times`}`;
};

const checkReplicas = ({ place, deployments }: CheckContext, pods: Answer<List<Pod>>): readonly Finding[] => {
  const check = 'replicas';
  if (deployments.state === 'unread') return [skipped(check, deployments.why)];
  const [deployment] = deployments.state === 'read' ? (deployments.value.items ?? []) : [];
  const next = `kubectl get deployments,pods -n ${place.namespace} -l ${BELAY_SELECTOR}`;
  if (deployment === undefined)
    return [
      {
        check,
        state: 'fail',
        says: `no Deployment labelled ${BELAY_SELECTOR} in namespace ${showName(place.namespace)}`,
        next,
      },
    ];
  const { spec, status } = deployment;
  const [wanted, ready] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0];
  const found = pods.state === 'read' ? (pods.value.items ?? []) : [];
  const unready = found.filter((pod) => !isReady(pod)).map(describePod);
  const images = [...new Set(found.flatMap((pod) => imageOf(pod.spec?.containers) ?? []))];
  const details = [
    ...atMost(unready, 5),
    ...(images.length > 1 ? [`different images run: ${images.map((image) => showName(image)).join(', ')}`] : []),
  ];
  const finding = (state: Finding['state'], says: string): Finding => ({
    check,
    state,
    says,
    ...(details.length > 0 && { details }),
    ...(state !== 'ok' && { next }),
  });
  if (ready === 0) return [finding('fail', `none of ${wanted} is ready: no release can be installed or upgraded`)];
  if (ready < wanted) return [finding('warn', `${ready} of ${wanted} are ready`)];
  if (images.length > 1) return [finding('warn', `${ready} of ${wanted} are ready, and they are not alike`)];
  if (wanted === 1) return [finding('warn', 'one alone: while it restarts, no release can be installed or upgraded')];
  const [image] = images.length === 0 ? [imageOf(spec?.template?.spec?.containers) ?? ''] : images;
  return [finding('ok', `${ready} of ${wanted} are ready, all run ${showName(image ?? '')}`)];
};

interface Service {
  readonly spec?: { readonly type?: string; readonly externalName?: string };
}

const checkEndpoints = async ({ api, place }: CheckContext): Promise<readonly Finding[]> => {
  const check = 'endpoints';
  const { namespace, service: name } = place;
  const [service, slices] = await Promise.all([
    ask<Service>(api, { path: pathOf('api', 'v1', 'namespaces', namespace, 'services', name) }),
    ask<List<EndpointSlice>>(api, {
      path: pathOf('apis', 'discovery.k8s.io', 'v1', 'namespaces', namespace, 'endpointslices'),
      query: { labelSelector: `kubernetes.io/service-name=${name}`, limit: MAX_PODS },
    }),
  ]);
  const shown = `Service ${showName(name)} in namespace ${showName(namespace)}`;
  if (service.state === 'missing')
    return [
      {
        check,
        state: 'fail',
        says: `there is no ${shown}, which the API server calls`,
        next: 'kubectl apply -k manifests/base',
      },
    ];
  if (service.state === 'read' && service.value.spec?.type === 'ExternalName')
    return [
      {
        check,
        state: 'ok',
        says: `${shown} leads to ${showName(service.value.spec.externalName ?? '')}, outside of the cluster`,
      },
    ];
  if (slices.state !== 'read')
    return [skipped(check, slices.state === 'unread' ? slices.why : 'there are no EndpointSlices')];
  const endpoints = (slices.value.items ?? []).flatMap((slice) => slice.endpoints ?? []);
  // A missing `ready` means that the endpoint is ready: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
  const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false).length;
  if (ready > 0) return [{ check, state: 'ok', says: `${shown} leads to ${count(ready, 'Pod')}` }];
  return [
    {
      check,
      state: 'fail',
      says: `${shown} leads to no Pod that is ready`,
      next: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}`,
    },
  ];
};

const checkBudget = async ({ api, place }: CheckContext): Promise<readonly Finding[]> => {
  const check = 'disruption budget';
  const answer = await ask<List<Budget>>(api, {
    path: pathOf('apis', 'policy', 'v1', 'namespaces', place.namespace, 'poddisruptionbudgets'),
    query: { labelSelector: BELAY_SELECTOR, limit: MAX_PODS },
  });
  if (answer.state === 'unread') return [skipped(check, answer.why)];
  const found = answer.state === 'read' ? (answer.value.items ?? []) : [];
  if (found.length > 0) return [{ check, state: 'ok', says: 'draining nodes leaves a replica' }];
  return [
    {
      check,
      state: 'warn',
      says: 'there is no PodDisruptionBudget: draining nodes may take all replicas at once',
      next: 'kubectl apply -k manifests/base',
    },
  ];
};

/** Checks the Pods that run Belay, the Service that leads to them, and the disruption budget. */
export const checkWorkload = async (context: CheckContext): Promise<readonly Finding[]> => {
  const { api, place } = context;
  const readPods = ask<List<Pod>>(api, {
    path: pathOf('api', 'v1', 'namespaces', place.namespace, 'pods'),
    query: { labelSelector: BELAY_SELECTOR, limit: MAX_PODS },
  });
  const [pods, endpoints, budget] = await Promise.all([readPods, checkEndpoints(context), checkBudget(context)]);
  return [...checkReplicas(context, pods), ...endpoints, ...budget];
};
