import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueCertificates } from '../../src/certificates/issue.ts';
import type { Api } from '../../src/kubernetes/api.ts';
import { waitUntil } from '../cluster/harness/wait-until.ts';

/** A webhook that lets everything pass and keeps what it was asked. */
export interface ReviewRecorder {
  /** The reviews of a user since the last time, the oldest first. */
  take(username: string): readonly unknown[];
  stop(): void;
}

interface Asked {
  readonly request: { readonly uid: string; readonly userInfo: { readonly username: string }; readonly name?: string };
}

const MATCHED = { apiGroups: ['', 'apps', 'coordination.k8s.io'], apiVersions: ['*'], scope: '*' };

/** Registers it for all that the recording writes; resolves when the API server asks it. */
export const startReviewRecorder = async (api: Api, namespace: string): Promise<ReviewRecorder> => {
  let asked: Asked[] = [];
  const issued = await issueCertificates({ now: Date.now(), dnsNames: ['localhost'] });
  const server = createServer({ key: issued.key, cert: issued.cert }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const review = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    asked.push(review);
    response.setHeader('content-type', 'application/json');
    const answer = { uid: review.request.uid, allowed: true };
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await api.request({
    method: 'POST',
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    body: {
      metadata: { name: 'recorder' },
      webhooks: [
        {
          name: 'recorder.belay.test',
          clientConfig: {
            url: `https://localhost:${port}/`,
            caBundle: Buffer.from(issued.ca).toString('base64'),
          },
          rules: [{ ...MATCHED, resources: ['*', '*/scale'], operations: ['CREATE', 'UPDATE', 'DELETE'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          matchConditions: [{ name: 'no-events', expression: "request.resource.resource != 'events'" }],
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
  });
  await waitUntil('the API server asks the recorder', async () => {
    const body = { metadata: { name: 'probe' } };
    await api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      query: { dryRun: 'All' },
      body,
    });
    return asked.length > 0 || undefined;
  });
  asked = [];
  return {
    take: (username) => {
      const taken = asked.filter(({ request }) => request.userInfo.username === username);
      asked = [];
      return taken;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};
