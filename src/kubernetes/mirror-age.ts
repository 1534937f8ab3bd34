/** How long a mirror may have lacked something. */
export interface MirrorAge {
  /** The API server has said how things are: by a list, by an open watch, or by an event. */
  noteHeard(): void;
  /** The watch has ended. `wasSilent`: it said nothing for too long, so that the mirror may lack something since it last said something. */
  noteEnded(wasSilent: boolean): void;
  /** Milliseconds since the API server last said something. */
  silenceMs(): number;
  /** 0 while the watch is open and lives. */
  staleMs(): number;
}

/** `quietMs`: a watch that says nothing for longer is dead. */
export const createMirrorAge = (monotonicMs: () => number, quietMs: number): MirrorAge => {
  let heardAtMs = monotonicMs();
  /** Since when the mirror may lack something; undefined while the watch is open. */
  let staleSinceMs: number | undefined = heardAtMs;
  return {
    noteHeard: () => {
      heardAtMs = monotonicMs();
      staleSinceMs = undefined;
    },
    noteEnded: (wasSilent) => {
      staleSinceMs ??= wasSilent ? heardAtMs : monotonicMs();
    },
    silenceMs: () => monotonicMs() - heardAtMs,
    staleMs: () => {
      const nowMs = monotonicMs();
      if (staleSinceMs !== undefined) return nowMs - staleSinceMs;
      // A process that was stopped, or is busy, has read nothing from its watch meanwhile.
      return nowMs - heardAtMs > quietMs ? nowMs - heardAtMs : 0;
    },
  };
};
