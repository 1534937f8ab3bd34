import { POLICIES_PATH } from '../../../facts/policy-status.ts';
import { type Api, pathOf } from '../../../kubernetes/api.ts';
import { parsePolicy } from '../../../policy/parse-policy.ts';
import { DEFAULT_STALE_AFTER_MS } from '../../../policy/policy-in-force.ts';
import type { Preset } from '../../../policy/presets/preset.ts';
import { AUTO } from '../../../policy/presets/presets.ts';
import { showName } from '../../../text/escape.ts';
import { openCluster } from '../../access/cluster-access.ts';
import type { ClusterOptions } from '../../access/cluster-options.ts';
import { EXIT, Failure } from '../../failure.ts';
import type { Invocation } from '../../invocation.ts';
import { readPolicies } from '../../releases/policies.ts';
import { presetNamed } from './show.ts';

export interface ApplyOptions extends ClusterOptions {
  readonly policy: string;
  readonly account?: string;
  readonly dryRun?: boolean;
}

interface DriftSpec {
  readonly allow?: readonly object[];
  readonly presets?: readonly string[];
}

interface Subject {
  readonly kind: 'ServiceAccount';
  readonly namespace: string;
  readonly name: string;
}

export const readAccount = (text: string): Subject => {
  const [, namespace, name] = /^([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined)
    throw new Failure(`--account is a service account as <namespace>:<name>, not ${JSON.stringify(text)}`, EXIT.usage);
  return { kind: 'ServiceAccount', namespace, name };
};

/** What changes in `spec.drift` of a policy. Undefined: nothing, because the policy has it already. */
export const addToDrift = (
  drift: DriftSpec,
  name: string,
  preset: Preset | undefined,
  subject: Subject | undefined,
): DriftSpec | undefined => {
  if (preset === undefined || subject === undefined) {
    const presets = drift.presets ?? [];
    return presets.includes(name) ? undefined : { presets: [...presets, name] };
  }
  const allow = drift.allow ?? [];
  const has = (rule: object): boolean => allow.some((one) => JSON.stringify(one) === JSON.stringify(rule));
  const rules = preset.fields
    .map(({ group, kind, paths }) => ({ subjects: [subject], group, kind, paths: [...paths] }))
    .filter((rule) => !has(rule));
  return rules.length === 0 ? undefined : { allow: [...allow, ...rules] };
};

const write = async (api: Api, policy: string, change: DriftSpec, dryRun: boolean, isNew: boolean, version: string) => {
  const query = { fieldManager: 'belay', dryRun: dryRun ? 'All' : undefined };
  if (isNew) {
    const body = {
      apiVersion: 'belay.dev/v1alpha1',
      kind: 'ReleasePolicy',
      metadata: { name: policy },
      spec: { drift: change },
    };
    await api.request({ method: 'POST', path: POLICIES_PATH, query, body });
    return;
  }
  // The version makes sure that nobody's change in between is lost with the list.
  const body = { metadata: { resourceVersion: version }, spec: { drift: change } };
  const path = POLICIES_PATH + pathOf(policy);
  await api.request({ method: 'PATCH', path, query, contentType: 'application/merge-patch+json', body });
};

/** `belay policy preset apply`. */
export const applyPreset = async (name: string, options: ApplyOptions, invocation: Invocation): Promise<void> => {
  const preset = name === AUTO ? undefined : presetNamed(name);
  const subject = options.account === undefined ? undefined : readAccount(options.account);
  if (preset === undefined && subject !== undefined)
    throw new Failure('--account goes with the preset of one controller, not with auto', EXIT.usage);
  const { policy, dryRun = false } = options;
  const { api } = await openCluster(options, invocation);
  const stored = await readPolicies(api);
  const found = stored.find((one) => one.name === policy);
  if (found === undefined && stored.length > 0) {
    // A new policy could take the place of one of these, with all that it says.
    const names = stored.map((one) => showName(one.name)).join(', ');
    throw new Failure(`there is no releasepolicy ${showName(policy)}: name one of these with --policy: ${names}`);
  }
  const spec = (found?.object.spec ?? {}) as { readonly drift?: DriftSpec };
  const shown = `releasepolicy.belay.dev/${showName(policy)}`;
  const change = addToDrift(spec.drift ?? {}, name, preset, subject);
  if (change === undefined) {
    process.stdout.write(`${shown}: has it already\n`);
    return;
  }
  const asked = { metadata: { name: policy }, spec: { ...spec, drift: { ...spec.drift, ...change } } };
  const parsed = parsePolicy(asked, { staleAfterMs: DEFAULT_STALE_AFTER_MS });
  if (!parsed.ok) {
    const [first] = parsed.problems;
    throw new Failure(`the policy would not be readable: ${first?.field}: ${first?.problem}`);
  }
  const version = String(found?.object.metadata?.resourceVersion ?? '');
  await write(api, policy, change, dryRun, found === undefined, version);
  const what =
    change.presets === undefined ? `allow for ${options.account}: ${name}` : `presets: ${change.presets.join(', ')}`;
  process.stdout.write(`${shown}: drift ${what}${dryRun ? ' (dry run)' : ''}\n`);
};
