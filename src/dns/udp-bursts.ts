import { DatagramBatch, type Ipv4Peer } from "../kernel/datagram-batch.ts";
import type { DnsCounters } from "./counters.ts";
import type { Reply, Respond } from "./responder.ts";
import { TurnShare } from "./turn-share.ts";

/** Bytes of a query that are looked at; a longer one loses what is behind them, and with it most likely its sense. */
const maxQueryBytes = 4096;
/** Datagrams taken by one call, and by all calls for one socket in one turn of the event loop: less than 1 ms of work. */
const maxPerCall = 64;
const maxPerTurn = 128;

/** What is done with the queries of one socket. */
export interface UdpBurstsInit {
  readonly respond: Respond;
  readonly counters: DnsCounters;
  /** Sends an answer for which others had to be asked. */
  readonly sendLate: (reply: Reply, to: Ipv4Peer) => void;
}

let batch: DatagramBatch | undefined;

/** One does for all sockets of a thread, for each leaves it empty. */
function sharedBatch(): DatagramBatch {
  batch ??= new DatagramBatch({ slots: maxPerCall, maxBytes: maxQueryBytes, replyBytes: 1 << 17 });
  return batch;
}

/**
 * Answers datagrams of one UDP socket many at a time: when one has come, the others that wait behind it
 * are received by one system call and answered by another, where Node takes two for each and makes a dozen
 * objects. How many are answered in a turn of the event loop is bounded, so that a sandbox that floods its
 * resolver keeps others waiting for no longer than that.
 */
export class UdpBursts {
  readonly #batch = sharedBatch();
  readonly #fd: number;
  readonly #init: UdpBurstsInit;
  readonly #turns = new TurnShare(maxPerTurn);

  constructor(fd: number, init: UdpBurstsInit) {
    this.#fd = fd;
    this.#init = init;
  }

  /** Answers a datagram that Node received, and then those that wait behind it. */
  take(message: Buffer, from: Ipv4Peer): void {
    this.#answer(message.subarray(0, maxQueryBytes), this.#batch.place(from));
    this.#takeWaiting();
    this.#flush();
  }

  #takeWaiting(): void {
    for (let left = true; left && this.#turns.left > 0; ) {
      const wanted = Math.min(maxPerCall, this.#turns.left);
      const received = this.#receive(wanted);
      for (let slot = 0; slot < received; slot++) this.#answer(this.#batch.message(slot), slot);
      this.#flush(); // the next call uses the same memory
      this.#turns.use(received);
      left = received === wanted;
    }
  }

  #receive(wanted: number): number {
    try {
      return this.#batch.receive(this.#fd, wanted);
    } catch {
      this.#init.counters.dropped++; // one of the socket's own troubles, which is over once it was told
      return 0;
    }
  }

  #answer(message: Buffer, slot: number): void {
    const reply = this.#init.respond(message, "udp");
    if (reply instanceof Promise) {
      const from = this.#batch.peer(slot);
      void reply.then((late) => this.#init.sendLate(late, from));
    } else if (reply !== undefined) {
      this.#batch.reply(this.#fd, slot, reply);
    }
  }

  #flush(): void {
    this.#init.counters.dropped += this.#batch.flush(this.#fd);
  }
}
