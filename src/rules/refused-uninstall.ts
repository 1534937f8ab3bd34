import type { Claim } from './in-flight.ts';

// An operation deletes objects of its own manifest to create them anew. Helm also deletes them after its uninstall was refused, and the two deletes
// look alike. So a claim remembers whose uninstall was refused since its operation began: the holder's, or that of an account of a hook.

/** Whether what the user deletes may come of an uninstall that was refused. */
export const isUninstallRefused = (claim: Claim | undefined, username: string): boolean =>
  claim?.uninstallRefused?.includes(username) === true;

/** Whom the claim has to remember with this user. */
export const withRefusedUninstall = (claim: Claim, username: string): readonly string[] => [
  ...(claim.uninstallRefused ?? []),
  username,
];
