import type { Environment } from "../environment.ts";

/** Runs `task` every `interval` ms, first after a random part of it. The answer ends it. */
export function every({ timers, dice }: Environment, interval: number, task: () => void): () => void {
  let cancel = timers.after(dice.fraction() * interval, tick);
  function tick() {
    cancel = timers.after(interval, tick);
    task();
  }
  return () => cancel();
}
