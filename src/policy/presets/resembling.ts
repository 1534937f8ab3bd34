import type { FieldWriter } from '../left-paths.ts';
import { appliesTo } from '../subjects.ts';
import type { Preset } from './preset.ts';
import { PRESETS } from './presets.ts';

/** A preset that is for a controller like the one that was refused. */
export interface Resembling {
  readonly name: string;
  readonly title: string;
  /** `namespace:name` of the writer, where the preset does not name that account. */
  readonly account: string | undefined;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})$/;

/** Whether one of the two paths leads to the other. `*` in the pattern stands for any segment. */
const meets = (pattern: string, pointer: string): boolean => {
  const [wanted, given] = [pattern.split('/'), pointer.split('/')];
  return wanted
    .slice(0, given.length)
    .every((segment, index) => segment === '*' || segment.includes('~*') || segment === given[index]);
};

const writesThere = ({ fields }: Preset, { object }: FieldWriter, pointers: readonly string[]): boolean =>
  fields.some(
    ({ group, kind, paths }) =>
      appliesTo({ group, kind, matchesName: () => true, paths }, object) &&
      paths.some((path) => pointers.some((pointer) => meets(path, pointer))),
  );

/**
 * The preset for a controller whose account is called as the writer, and that writes what was refused. Anybody may call a service account so: the
 * preset is only proposed, to people who may change policies.
 */
export const findResembling = (writer: FieldWriter, pointers: readonly string[]): Resembling | undefined => {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(writer.user.username) ?? [];
  if (namespace === undefined || name === undefined) return undefined;
  for (const preset of PRESETS) {
    const called = preset.accounts.filter(
      ({ name: fixed, nameIn }) => (nameIn === undefined ? fixed : nameIn(writer.document, writer.object)) === name,
    );
    if (called.length === 0 || !writesThere(preset, writer, pointers)) continue;
    const isNamed = called.some((account) => (account.namespace ?? writer.object.namespace) === namespace);
    return { name: preset.name, title: preset.title, account: isNamed ? undefined : `${namespace}:${name}` };
  }
  return undefined;
};
