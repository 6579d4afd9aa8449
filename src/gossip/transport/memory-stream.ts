import type { Timers } from "../environment.ts";
import type { Place, Stream, StreamEvents } from "./transport.ts";

/** What the ends of a stream need of their network. */
export interface Carrier {
  readonly timers: Timers;
  /** How long one segment takes, ms. */
  segmentDelay(): number;
  /** True while nothing passes. */
  isCut(from: Place, to: Place): boolean;
}

/** The two ends of a connection. */
export function streamPair(network: Carrier, near: Place, far: Place): [MemoryStream, MemoryStream] {
  const a = new MemoryStream(network, near, far);
  const b = new MemoryStream(network, far, near);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** One end. What is written arrives late but in order; nothing does while the way is cut. */
export class MemoryStream implements Stream {
  readonly remote: Place;
  peer: MemoryStream | undefined;
  onSent: (bytes: number) => void = () => {};
  onGone: () => void = () => {};
  readonly #network: Carrier;
  readonly #here: Place;
  #events: StreamEvents | undefined;
  #open = true;
  /** Nothing arrives before what was sent earlier. */
  #arrivesAt = 0;

  constructor(network: Carrier, here: Place, remote: Place) {
    this.#network = network;
    this.#here = here;
    this.remote = remote;
  }

  listen(events: StreamEvents): void {
    this.#events = events;
  }

  write(bytes: Uint8Array): void {
    if (!this.#open) return;
    this.onSent(bytes.length);
    const copy = Buffer.from(bytes);
    this.#later((peer) => peer.#take(copy));
  }

  end(): void {
    this.#close();
  }

  destroy(): void {
    this.#close();
    this.#events = undefined;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.onGone();
    this.#later((peer) => peer.#closed());
  }

  #later(deliver: (peer: MemoryStream) => void): void {
    const { peer } = this;
    if (peer === undefined) return;
    const now = this.#network.timers.monotonic();
    this.#arrivesAt = Math.max(this.#arrivesAt, now + this.#network.segmentDelay());
    this.#network.timers.after(this.#arrivesAt - now, () => {
      if (!this.#network.isCut(this.#here, this.remote)) deliver(peer);
    });
  }

  #take(bytes: Buffer): void {
    this.#events?.data(bytes);
  }

  #closed(): void {
    const events = this.#events;
    this.#events = undefined;
    if (this.#open) {
      this.#open = false;
      this.onGone();
    }
    events?.closed();
  }
}
