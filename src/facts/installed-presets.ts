import type { Kinds } from '../kubernetes/kinds.ts';
import type { Preset } from '../policy/presets/preset.ts';
import { PRESETS } from '../policy/presets/presets.ts';

/** Which of the controllers that presets are for are installed, by the custom resources that the API server serves. */
export interface InstalledPresets {
  /** A preset whose custom resources cannot be asked for counts as missing, so that its controller is refused. */
  find(signal: AbortSignal): Promise<readonly Preset[]>;
}

/** `kinds` remembers what it has been told for a while. */
export const createInstalledPresets = (kinds: Kinds): InstalledPresets => ({
  find: async (signal) => {
    const found = PRESETS.map(async ({ installedBy }) => {
      if (installedBy === undefined) return false;
      const { group, version, kind } = installedBy;
      return kinds.find(group, version, kind, signal).then(
        (known) => known !== undefined,
        () => false,
      );
    });
    const areInstalled = await Promise.all(found);
    return PRESETS.filter((_, index) => areInstalled[index]);
  },
});
