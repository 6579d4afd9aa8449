import { DatagramBatch, type Ipv4Peer } from "../kernel/datagram-batch.ts";
import type { DnsCounters } from "./counters.ts";
import type { Reply, Respond } from "./responder.ts";
import { TurnShare, workOf } from "./turn-share.ts";

/** Bytes of a query that are looked at; a longer one loses what is behind them, and with it most likely its sense. */
const maxQueryBytes = 4096;
/** Datagrams taken by one call. */
const maxPerCall = 64;
/** Work for one socket in one turn of the event loop, see workOf: about 0.5 ms. */
const unitsPerTurn = 128;
/** Datagrams that wait for a later turn at most; a few times what comes by one call and what Node itself takes in a turn. */
const maxHeld = 256;

/** A datagram that waits for a later turn. */
interface HeldQuery {
  readonly message: Buffer;
  readonly from: Ipv4Peer;
}

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
 * are received by one system call and answered by another, which costs a third of what Node takes for
 * each. How much is done in a turn of the event loop is bounded, so that a sandbox that floods its resolver
 * keeps others waiting for no longer than that; what is received beyond it is held for later turns.
 */
export class UdpBursts {
  readonly #batch = sharedBatch();
  readonly #fd: number;
  readonly #init: UdpBurstsInit;
  readonly #turns = new TurnShare(unitsPerTurn);
  #held: HeldQuery[] = [];

  constructor(fd: number, init: UdpBurstsInit) {
    this.#fd = fd;
    this.#init = init;
  }

  /** Answers a datagram that Node received, and then those that wait behind it. */
  take(message: Buffer, from: Ipv4Peer): void {
    const query = message.subarray(0, maxQueryBytes);
    if (this.#held.length > 0 || this.#turns.left <= 0) {
      this.#hold(query, from);
      return;
    }
    this.#answer(query, this.#batch.place(from));
    this.#takeWaiting();
    this.#flush();
  }

  /** Forgets what is held; the socket is about to be closed. */
  end(): void {
    this.#held = [];
  }

  #takeWaiting(): void {
    for (let left = true; left && this.#turns.left > 0; ) {
      const wanted = Math.min(maxPerCall, this.#turns.left);
      const received = this.#receive(wanted);
      for (let slot = 0; slot < received; slot++) {
        if (this.#turns.left > 0) this.#answer(this.#batch.message(slot), slot);
        else this.#hold(this.#batch.message(slot), this.#batch.peer(slot));
      }
      this.#flush(); // the next call uses the same memory
      left = received === wanted;
    }
  }

  #hold(message: Buffer, from: Ipv4Peer): void {
    if (this.#held.length === maxHeld) {
      this.#init.counters.dropped++;
      return;
    }
    this.#held.push({ message, from });
    if (this.#held.length === 1) this.#turns.wait(() => this.#answerHeld());
  }

  #answerHeld(): void {
    while (this.#turns.left > 0) {
      const next = this.#held.shift();
      if (next === undefined) return; // Node tells of what has come to the socket meanwhile
      this.#answer(next.message, this.#batch.place(next.from));
      this.#flush(); // before the next one takes its place
    }
    if (this.#held.length > 0) this.#turns.wait(() => this.#answerHeld());
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
    this.#turns.use(workOf(reply));
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
