import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Admission, Attempt } from './admission.ts';
import type { MemoryBelay, ReviewResponse } from './belay.ts';
import { jsonPatch } from './merge.ts';
import { reviewOf } from './review-of.ts';
import { isAsked, type ShippedWebhook, shippedWebhooks } from './shipped-webhooks.ts';
import { StatusError } from './status.ts';

/** One question of the API server, and Belay's answer. */
export interface Asked {
  readonly webhook: string;
  readonly path: '/validate' | '/mutate';
  readonly attempt: Attempt;
  readonly response: ReviewResponse;
}

/** Asks Belay as the API server would with the shipped webhook configurations, and tells of every question. */
export const createWebhookAdmission = (belay: MemoryBelay, onAsked: (asked: Asked) => void): Admission => {
  const webhooks = { '/mutate': shippedWebhooks('mutating'), '/validate': shippedWebhooks('validating') };

  const ask = async (
    path: '/validate' | '/mutate',
    webhook: ShippedWebhook,
    attempt: Attempt,
    warn: (text: string) => void,
  ): Promise<ReviewResponse> => {
    const response = await belay.ask(path, reviewOf(attempt));
    onAsked({ webhook: webhook.name, path, attempt, response });
    for (const warning of response.warnings ?? []) warn(warning);
    if (response.allowed) return response;
    const { code = 403, reason = 'Forbidden', message = 'without explanation' } = response.status ?? {};
    throw new StatusError(code, reason, `admission webhook "${webhook.name}" denied the request: ${message}`);
  };

  return {
    mutate: async (attempt, begun, warn) => {
      let after = begun;
      for (const webhook of webhooks['/mutate']) {
        if (!isAsked(webhook, { ...attempt, after })) continue;
        const { patch } = await ask('/mutate', webhook, { ...attempt, after }, warn);
        if (patch === undefined) continue;
        const steps = JSON.parse(Buffer.from(patch, 'base64').toString()) as Parameters<typeof jsonPatch>[1];
        after = jsonPatch(after, steps) as KubernetesObject;
      }
      return after;
    },
    // The API server asks all validating webhooks at once; one refusal is enough.
    validate: async (attempt, warn) => {
      const asked = webhooks['/validate'].filter((webhook) => isAsked(webhook, attempt));
      await Promise.all(asked.map((webhook) => ask('/validate', webhook, attempt, warn)));
    },
  };
};
