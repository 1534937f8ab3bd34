import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** Label selectors of the kind that Belay and Helm ask with: equality, joined by commas. */
export const matchesLabels = (object: KubernetesObject, selector: string | undefined): boolean =>
  (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const match = /^([^=!]+)==?([^=]*)$/.exec(term);
      if (match === null) throw new Error(`the API server in memory cannot read the selector ${term}`);
      const [, key = '', value = ''] = match;
      return object.metadata?.labels?.[key] === value;
    });

export const matchesFields = (object: KubernetesObject, selector: string | undefined): boolean => {
  if (selector === undefined || selector === '') return true;
  const match = /^metadata\.name=(.+)$/.exec(selector);
  if (match === null) throw new Error(`the API server in memory cannot read the field selector ${selector}`);
  return object.metadata?.name === match[1];
};
