/** A timer that runs until it fires, is wound up anew, or is stopped. */
export interface Timer {
  /** Starts the whole time again. */
  refresh(): void;
  stop(): void;
}

/** Starts a timer that calls `fire` once after `ms`; injected so that tests move time by hand. */
export type StartTimer = (ms: number, fire: () => void) => Timer;

/** Timers of the machine's own clock; winding one up anew allocates nothing. */
export const systemTimer: StartTimer = (ms, fire) => {
  const timer = setTimeout(fire, ms);
  return { refresh: () => timer.refresh(), stop: () => clearTimeout(timer) };
};
