import type { Socket } from "node:net";
import type { DnsCounters } from "./counters.ts";
import { Framer } from "./framing.ts";
import type { Reply, Respond } from "./responder.ts";
import type { StartTimer, Timer } from "./timers.ts";
import { type TurnShare, workOf } from "./turn-share.ts";

/** What one sandbox's TCP clients may use. */
export interface TcpLimits {
  /** Connections of one sandbox at a time; for a further one the idlest is closed. */
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
 * waiting queries, 10 s. They bound a sandbox at about 64 · 200 KiB here and as much in the kernel, whatever it does.
 */
export const defaultTcpLimits: TcpLimits = {
  maxConnections: 64,
  maxQueryBytes: 4096,
  maxUnsentBytes: 65_536,
  maxWaiting: 64,
  idleMs: 10_000,
};

/** Places for connections that sandboxes share; a sandbox's view of them. */
export interface ConnectionPlaces {
  /** False when there is none for this sandbox. */
  take(): boolean;
  give(): void;
}

/** What a listener works with. */
export interface TcpInit {
  readonly respond: Respond;
  readonly counters: DnsCounters;
  readonly limits: TcpLimits;
  readonly startTimer: StartTimer;
  readonly places: ConnectionPlaces;
}

/** What a connection works with. */
export interface TcpConnectionInit extends TcpInit {
  /** Shared by all connections of the sandbox. */
  readonly turns: TurnShare;
  /** Is told of each whole query. */
  readonly asks: () => void;
}

/**
 * Answers the queries of one TCP connection, many at once if the client sends so (RFC 7766 §6.2.1.1),
 * until it ends, stands still, or sends what cannot be a query. The socket must allow to be half
 * open, so that a client may end its side and still read.
 */
export class TcpConnection {
  readonly #socket: Socket;
  readonly #init: TcpConnectionInit;
  readonly #framer: Framer;
  readonly #timer: Timer;
  #waiting = 0;
  #clientEnded = false;
  #inQueue = false;

  constructor(socket: Socket, init: TcpConnectionInit) {
    this.#socket = socket;
    this.#init = init;
    this.#framer = new Framer(init.limits.maxQueryBytes);
    this.#timer = init.startTimer(init.limits.idleMs, () => this.cut());
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("drain", () => this.#pump());
    socket.on("end", () => this.#end());
    socket.on("error", () => {}); // a reset is followed by "close", and is the client's own affair
    socket.on("close", () => this.#timer.stop());
  }

  /** True while a query of it waits for others' answers. */
  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  /** Ends it, whatever it is doing. */
  cut(): void {
    if (this.#socket.destroyed) return;
    this.#init.counters.connectionsCut++;
    this.#socket.destroy();
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

  /** False when it stopped for lack of room, or because others have their turn. */
  #answerAll(): boolean {
    const { turns, asks } = this.#init;
    while (this.#hasRoom()) {
      if (turns.left <= 0) {
        this.#waitForTurn();
        return false;
      }
      const frame = this.#framer.next();
      if (frame === undefined) return true;
      if (frame.kind === "too-long") {
        this.cut();
        return true;
      }
      asks();
      this.#timer.refresh();
      this.#answer(frame.message);
    }
    return false;
  }

  #waitForTurn(): void {
    if (this.#inQueue) return;
    this.#inQueue = true;
    this.#init.turns.wait(() => {
      this.#inQueue = false;
      this.#pump();
    });
  }

  #hasRoom(): boolean {
    const { maxUnsentBytes, maxWaiting } = this.#init.limits;
    return this.#socket.writableLength <= maxUnsentBytes && this.#waiting < maxWaiting;
  }

  #answer(message: Uint8Array): void {
    const reply = this.#init.respond(message, "tcp");
    this.#init.turns.use(workOf(reply));
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
}
