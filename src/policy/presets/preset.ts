import type { ObjectRef } from '../../kubernetes/object.ts';

/** Fields that a controller writes in objects of a kind. */
export interface PresetFields {
  /** API group; empty for the core group, `*` for any. */
  readonly group: string;
  /** `*` for any. */
  readonly kind: string;
  /** As in `drift.allow` of a policy. */
  readonly paths: readonly string[];
}

/** A service account under which a controller runs. */
export interface PresetAccount {
  /** Undefined: the namespace of the object that it writes. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The name, where the chart's own document tells it. `name` then says for people where it comes from. */
  readonly nameIn?: (document: Readonly<Record<string, unknown>>, object: ObjectRef) => string | undefined;
}

/** A controller that is known to change what charts set, and which fields it changes. */
export interface Preset {
  /** The word for it in `drift.presets`. */
  readonly name: string;
  /** The controller's own name. */
  readonly title: string;
  /** What the controller does with these fields. */
  readonly does: string;
  readonly accounts: readonly PresetAccount[];
  readonly fields: readonly PresetFields[];
  /** The custom resource by which `auto` tells that the controller is installed. Undefined: `auto` leaves it out. */
  readonly installedBy?: { readonly group: string; readonly version: string; readonly kind: string };
}
