import * as sys from "../kernel/syscalls.ts";
import type { OnReady, Poller } from "./poller.ts";

/** A connection's peer is asked whether it still lives after this long without a word. */
const keepAliveSeconds = 60;

/** Makes a socket send at once what it is given, and notice that its peer is gone; accepted ones inherit it. */
export function prepareTcp(fd: number): void {
  sys.setsockopt(fd, sys.IPPROTO_TCP, sys.TCP_NODELAY, 1);
  sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_KEEPALIVE, 1);
  sys.setsockopt(fd, sys.IPPROTO_TCP, sys.TCP_KEEPIDLE, keepAliveSeconds);
}

/** struct linger, on and 0 seconds. */
const resetOnClose = Buffer.from(Int32Array.of(1, 0).buffer);

/** Makes closing a socket reset its connection, so that its peer does not take what it got for the whole. */
export function resetWhenClosed(fd: number): void {
  sys.setsockoptBytes(fd, sys.SOL_SOCKET, sys.SO_LINGER, resetOnClose);
}

/** One end of a proxied connection, and what the poller waits for on it. */
export class TcpSocket {
  readonly fd: number;
  readonly #poller: Poller;
  readonly #onReady: OnReady;
  #waitsFor = 0;
  #parked = true;

  constructor(fd: number, poller: Poller, onReady: OnReady) {
    this.fd = fd;
    this.#poller = poller;
    this.#onReady = onReady;
  }

  /** Waits for these events; for 0, only for errors. Ends {@link park} unless it is 0. */
  waitFor(events: number): void {
    if (this.#parked) {
      if (events !== 0) this.watch(events);
    } else if (events !== this.#waitsFor) this.#poller.change(this.fd, events);
    this.#waitsFor = events;
  }

  /** Begins to wait. */
  watch(events: number): void {
    this.#poller.add(this.fd, events, this.#onReady);
    this.#waitsFor = events;
    this.#parked = false;
  }

  /** Waits not even for errors, which would be told again and again while nothing can be done about them. */
  park(): void {
    this.#poller.remove(this.fd);
    this.#parked = true;
  }
}
