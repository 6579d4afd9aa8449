import type { Socket } from "node:net";
import type { DnsCounters } from "./counters.ts";
import { Framer } from "./framing.ts";
import type { Reply, Respond } from "./responder.ts";
import type { StartTimer, Timer } from "./timers.ts";

/** What one sandbox's TCP clients may use. */
export interface TcpLimits {
  /** Connections of one sandbox at a time; further ones are closed at once. */
  readonly maxConnections: number;
  /** Bytes of the longest query taken; a longer one ends the connection. */
  readonly maxQueryBytes: number;
  /** No further query of a connection is read while more bytes of answers than this wait in it. */
  readonly maxUnsentBytes: number;
  /** No further query of a connection is read while this many wait for others' answers. */
  readonly maxWaiting: number;
  /** A connection on which no whole query was taken for this long is ended, ms (RFC 7766 §6.2.3). */
  readonly idleMs: number;
}

/**
 * Limits that no honest client meets: 64 connections, 4 KiB a query, 64 KiB of unsent answers, 64
 * waiting queries, 10 s. They bound a sandbox at about 64 · 200 KiB, whatever it does.
 */
export const defaultTcpLimits: TcpLimits = {
  maxConnections: 64,
  maxQueryBytes: 4096,
  maxUnsentBytes: 65_536,
  maxWaiting: 64,
  idleMs: 10_000,
};

/** What a listener works with. */
export interface TcpInit {
  readonly respond: Respond;
  readonly counters: DnsCounters;
  readonly limits: TcpLimits;
  readonly startTimer: StartTimer;
}

/**
 * Answers the queries of one TCP connection, many at once if the client sends so (RFC 7766 §6.2.1.1),
 * until it ends, stands still, or sends what cannot be a query. The socket must allow to be half
 * open, so that a client may end its side and still read.
 */
export class TcpConnection {
  readonly #socket: Socket;
  readonly #init: TcpInit;
  readonly #framer: Framer;
  readonly #timer: Timer;
  #waiting = 0;
  #clientEnded = false;

  constructor(socket: Socket, init: TcpInit) {
    this.#socket = socket;
    this.#init = init;
    this.#framer = new Framer(init.limits.maxQueryBytes);
    this.#timer = init.startTimer(init.limits.idleMs, () => this.#cut());
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("drain", () => this.#pump());
    socket.on("end", () => this.#end());
    socket.on("error", () => {}); // a reset is followed by "close", and is the client's own affair
    socket.on("close", () => this.#timer.stop());
  }

  #take(chunk: Buffer): void {
    this.#framer.push(chunk);
    this.#pump();
  }

  #end(): void {
    this.#clientEnded = true;
    this.#pump();
  }

  /** Answers queries as long as their answers have room, and reads on only then. */
  #pump(): void {
    if (this.#socket.destroyed) return;
    this.#socket.cork(); // answers to pipelined queries leave together
    const ranDry = this.#answerAll();
    this.#socket.uncork();
    if (!ranDry) this.#socket.pause();
    else if (!this.#clientEnded) this.#socket.resume();
    else if (this.#waiting === 0) this.#socket.end();
  }

  /** False when it stopped for lack of room. */
  #answerAll(): boolean {
    while (this.#hasRoom()) {
      const frame = this.#framer.next();
      if (frame === undefined) return true;
      if (frame.kind === "too-long") {
        this.#cut();
        return true;
      }
      this.#timer.refresh();
      this.#answer(frame.message);
    }
    return false;
  }

  #hasRoom(): boolean {
    const { maxUnsentBytes, maxWaiting } = this.#init.limits;
    return this.#socket.writableLength <= maxUnsentBytes && this.#waiting < maxWaiting;
  }

  #answer(message: Uint8Array): void {
    const reply = this.#init.respond(message, "tcp");
    if (!(reply instanceof Promise)) {
      this.#send(reply);
      return;
    }
    this.#waiting++;
    void reply.then((late) => {
      this.#waiting--;
      this.#send(late);
      this.#pump();
    });
  }

  #send(reply: Reply): void {
    if (reply === undefined || !this.#socket.writable) return;
    this.#socket.write(Buffer.of(reply.length >> 8, reply.length & 0xff));
    this.#socket.write(reply);
  }

  #cut(): void {
    this.#init.counters.connectionsCut++;
    this.#socket.destroy();
  }
}
