/**
 * Every time after which Belay or `helm lock` does something by itself, and that a test or a person would have to wait for. Each part gets its
 * group as a parameter. Deadlines of a single request are not here: nobody waits for them unless something is broken.
 */
export const DEFAULT_INTERVALS = {
  /** The Leases by which Belay notes who is at work. */
  claims: {
    /** How often Belay looks for claims of releases that are gone. */
    sweepEveryMs: 30_000,
    /**
     * A claim without a record is kept this long: its operation may just have been admitted (CLAIM_VOID_AFTER_MS), or only this replica has not
     * seen the record yet.
     */
    orphanAfterMs: 60_000,
    /**
     * Shortest silence that a holder may ask for. `helm lock` renews every 10 s: three renewals may then be lost, to a slow network or to an
     * API server that restarts, before a living operation counts as dead.
     */
    shortestSilenceMs: 30_000,
  },

  /** The copies of objects that are held in memory, each kept up to date by a watch. */
  mirrors: {
    firstBackoffMs: 200,
    /** client-go goes up to 30 s, for there are thousands of it in a cluster. A replica has five of these, and people wait for its answers. */
    lastBackoffMs: 2_000,
    /** How soon a kind that was missing is asked for again: a person who has just installed its CRD waits for it. */
    missingPauseMs: 1_000,
    /**
     * A watch that says nothing for so long is dead, though its connection may not have noticed: the API server sends a bookmark every minute
     * (bookmarkFrequency in apiserver/pkg/storage/cacher). The first was seen to take 121 s; half a minute more is room for a slow one.
     */
    quietMs: 150_000,
    /**
     * A mirror that may have missed something for longer than this is not judged by. A watch that breaks off is open again within
     * lastBackoffMs and half of it where the API server answers, so that only a fault lasts longer.
     */
    staleAfterMs: 5_000,
  },

  /** Whether the API server can be reached by this replica. */
  reachability: {
    /** Long enough that what was on its way when the API server went does not count. */
    unansweredMs: 5_000,
    /** An API server that has come back asks at once; this is room for the watches to come back too, which takes 3 s, and for a slow start. */
    askedSinceMs: 10_000,
    /**
     * A connection that dies without a word takes along one request at a time, while others are answered; its siblings, and the watches, are
     * likely to have died with it. What broke off at once was told by the connection, and is no sign of that.
     */
    silentMs: 1_000,
    /** A new connection takes a second at most where there is a way. */
    reconnectEveryMs: 10_000,
  },

  /** Which replica sweeps. client-go's own defaults: another one leads at the latest 17 s after the leader has died. */
  election: { leaseMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 },

  /** The search for drift that is there already. */
  sweep: {
    /** An admitted write is stored after the other webhooks have answered as well, and those after it come soon. */
    settleMs: 3_000,
    lookEveryMs: 2_000,
    /** Until an operation that came in between is over; if it is not, then the same again. */
    overtakenMs: 10_000,
    /** Until a release that could not be looked at is tried again. */
    failedMs: 60_000,
    /** How often Belay asks whether it has the right to sweep. */
    askEveryMs: 30_000,
    /** How long a right that is missing is not asked for again: somebody who grants it now may have to wait as long. */
    forbiddenMs: 60_000,
    /** Until the first repair that failed is tried again; twice as long after each further failure, up to an hour. */
    firstRepairPauseMs: 60_000,
    lastRepairPauseMs: 3_600_000,
    /**
     * Until drift is told of again. Well below `--event-ttl` of the API server, an hour: as long as there is drift, there is an Event that says
     * so, also where the first one was one too many for its minute.
     */
    tellAgainMs: 600_000,
  },

  /** What the API server serves. */
  discovery: {
    /** A CRD may come or go at any time; kubectl keeps what it has discovered for 6 hours, but its user knows what was installed. */
    rememberMs: 600_000,
    /** A kind that is not served may have been installed just now, with the release that brings it. */
    retryUnknownMs: 30_000,
  },

  /** Which namespaces hold the records of a release. */
  stores: {
    /** A payload that could not be read is tried again after this long. */
    retryAfterMs: 10_000,
  },

  /** The status of ReleasePolicies. */
  policyStatus: {
    /** How old `matchedReleases` may get. */
    countEveryMs: 5_000,
    /** Lets the policies of one `kubectl apply` arrive together, and mostly one replica alone write. */
    settleMs: 300,
    /** After it has written: bounds what two Belays of different opinion (an upgrade under way) can write against each other. */
    restMs: 1_000,
  },

  /** Kubernetes Events about releases. */
  events: {
    /** Ten a second, between what client-go allows a client by default (5) and what a kubelet may send (50, eventRecordQPS). */
    writeEveryMs: 100,
    /** For the API server to come back: a restart of it takes some seconds, and there are three attempts. */
    retryAfterMs: 2_000,
    /** At most one write for the same thing in this time. */
    seriesMs: 60_000,
  },

  /** Belay's own certificates. */
  certificates: {
    /** Somebody who overwrites the caBundle in a loop is answered at most this often. */
    minPauseMs: 250,
    firstBackoffMs: 250,
    lastBackoffMs: 15_000,
    /**
     * The pauses between the steps by which one authority follows another; short lifetimes shorten them (pausesOf). API servers hear of a
     * configuration within a second, one that has lost its watch within a minute; replicas reload within a second, one that cannot reach the
     * API server when it can again. An authority changes once in years: there is no hurry, and these pauses are ten times that and more.
     */
    longestSettleMs: 600_000,
    longestReloadMs: 3_600_000,
    longestGraceMs: 5_000,
    longestTickMs: 60_000,
  },

  /** `helm lock`. */
  lock: {
    /** Silence after which a holder or a waiter counts as gone: four renewals missed. */
    silenceMs: 40_000,
    renewEveryMs: 10_000,
    /** One's own turn is looked for this often, by the one who is next and by the others. A look is a read of one small object. */
    nextPollMs: 400,
    pollMs: 1_500,
    /** How often the claim of one's own Helm is looked for until it is there; then it is renewed as often as the lock. */
    claimLookEveryMs: 1_000,
    /** How often one looks whether a release has come to rest. */
    conditionEveryMs: 1_000,
    /** A recovery that was refused because somebody is at work is tried again after this long, and then after twice as long. */
    firstRecoveryRetryMs: 5_000,
    lastRecoveryRetryMs: 30_000,
    /** The same for a command that was refused because somebody was faster. */
    firstCommandRetryMs: 2_000,
    lastCommandRetryMs: 30_000,
    /** An outage shorter than this is waited out by those who wait anyway; the silence of a holder is no shorter. */
    outageMs: 30_000,
    outageRetryEveryMs: 1_000,
    /**
     * Added to what a vanished holder's Helm waits for a single step (`--timeout`): to store what became of it. A Helm that is still alive has
     * then written its record.
     */
    stepSlackMs: 10_000,
    /** After the second signal: long enough for Helm to store a failed revision, shorter than what pipelines wait before they kill. */
    killAfterMs: 5_000,
  },
} as const;

type Group<Shipped> = { readonly [Key in keyof Shipped]: number };

/** Milliseconds, all of them. */
export type Intervals = { readonly [Name in keyof typeof DEFAULT_INTERVALS]: Group<(typeof DEFAULT_INTERVALS)[Name]> };

export type ClaimIntervals = Intervals['claims'];
export type MirrorIntervals = Intervals['mirrors'];
export type ReachabilityIntervals = Intervals['reachability'];
export type ElectionIntervals = Intervals['election'];
export type SweepIntervals = Intervals['sweep'];
export type DiscoveryIntervals = Intervals['discovery'];
export type StoreIntervals = Intervals['stores'];
export type PolicyStatusIntervals = Intervals['policyStatus'];
export type EventIntervals = Intervals['events'];
export type CertificateIntervals = Intervals['certificates'];
export type LockIntervals = Intervals['lock'];
