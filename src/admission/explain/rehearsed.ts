/** The warning before a refusal that a dry run is spared. `belay doctor` knows by it that Belay guards. */
export const REHEARSED = 'only a dry run: without it, Belay refuses this:';
