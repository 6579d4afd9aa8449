import { VirtualTimers } from "../../../src/gossip/time/virtual-timers.ts";

/** Virtual time for what awaits: after each alarm the promises that it resolved go on. */
export class VirtualTime extends VirtualTimers {
  /** Lets `ms` pass. */
  async run(ms: number): Promise<void> {
    const until = this.monotonic() + ms;
    await settled();
    while (this.ringNext(until)) await settled();
  }
}

/** All promises that can go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
