import type { Timers } from "../environment.ts";

/** The machine's own time. A waiting alarm keeps the process alive. */
export const systemTimers: Timers = {
  monotonic: () => performance.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    return () => clearTimeout(timer);
  },
};
