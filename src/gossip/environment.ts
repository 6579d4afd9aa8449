/** What a gossip node takes from outside, so that a thousand of them run on one virtual clock. */
export interface Environment {
  readonly timers: Timers;
  readonly dice: Dice;
  readonly log: GossipLog;
}

/** Time and its alarms. All values are ms. */
export interface Timers {
  /** A time that never jumps, ms since an arbitrary start. */
  monotonic(): number;
  /** Runs `task` once, `delay` ms from now; the answer cancels it and may be called more than once. */
  after(delay: number, task: () => void): () => void;
}

/** The randomness of gossip: who is probed, who is told, when a ticker begins. Never used for keys. */
export interface Dice {
  /** A whole number, 0 <= n < `limit`, each as likely as the next. */
  below(limit: number): number;
  /** 0 <= x < 1. */
  fraction(): number;
}

/** Where a node tells what its operator should know. */
export interface GossipLog {
  warn(message: string, facts: Readonly<Record<string, string | number>>): void;
  info(message: string, facts: Readonly<Record<string, string | number>>): void;
}
