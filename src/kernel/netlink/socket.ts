import { WeftError } from "../../core/index.ts";
import { errnoName, isKernelError, KernelError } from "../kernel-error.ts";
import * as sys from "../syscalls.ts";
import { Dump, refusal } from "./dump.ts";
import { discardAll } from "./listen.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readAcknowledgement,
  readMessages,
  writeMessage,
} from "./message.ts";
import { Writer } from "./wire.ts";

/** Netlink families, include/uapi/linux/netlink.h. */
export const NETLINK_ROUTE = 0;
export const NETLINK_XFRM = 6;
export const NETLINK_NETFILTER = 12;
export const NETLINK_GENERIC = 16;

const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** Kernel dumps come in datagrams of at most 32 KiB, or one message of the size it takes. */
const receiveSize = 256 * 1024;
/** Acknowledgements of one batch wait in this buffer, in bytes; a refused one echoes nothing (CAP_ACK). */
const receiveBufferBytes = 4 * 1024 * 1024;
/** One datagram of a large nftables batch, in bytes. */
const sendBufferBytes = 64 * 1024 * 1024;
/**
 * How long an answer may take, ms. The kernel works while the request is being sent and the answer is
 * there when that returns, so whoever waits this long waits for one that was lost.
 */
const answerTimeoutMs = 5000;
/** A dump that the kernel changed under is asked for again, this often. */
const dumpAttempts = 50;

// Of include/uapi/asm-generic/errno*.h.
const EINTR = 4;
const EMSGSIZE = 90;
const ETIMEDOUT = 110;

// All sockets of one thread share a buffer: what a receive gave is decoded before the next one.
const receiveBuffer = Buffer.allocUnsafe(receiveSize);

interface Exchange {
  readonly requests: readonly NetlinkRequest[];
  /** Index of the request whose acknowledgement ends the exchange. */
  readonly acknowledged: number;
  /** All or nothing, as an nftables batch is. */
  readonly atomic: boolean;
}

/** How one message of a batch ended: undefined when the kernel took it. */
export type RequestOutcome = KernelError | undefined;

/**
 * A netlink socket for requests and dumps. It belongs for good to the network namespace that the
 * thread was in when it was opened. Requests on one socket go one after the other.
 */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #writer = new Writer();
  #sequence = 0;
  #tail: Promise<unknown> = Promise.resolve();
  /** Slow requests waiting or under way; their answers would be lost to a receive in between. */
  #slow = 0;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes over a descriptor that was opened elsewhere, as in another process: a netlink socket that is
   * set up already, or in tests anything that keeps datagrams apart. {@link close} closes it.
   */
  static adopt(fd: number, answerTimeout: number = answerTimeoutMs): NetlinkSocket {
    sys.setReceiveTimeout(fd, answerTimeout);
    return new NetlinkSocket(fd);
  }

  /** Opens a socket of `family` in the calling thread's network namespace. Throws KernelError. */
  static open(family: number): NetlinkSocket {
    const fd = sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, family);
    try {
      sys.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      sys.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      if (family === NETLINK_ROUTE) sys.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
      sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, receiveBufferBytes);
      sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_SNDBUFFORCE, sendBufferBytes);
      return NetlinkSocket.adopt(fd);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  }

  /**
   * Sends `requests` in one datagram and gives the outcome of each, in their order. A refused message
   * does not keep the later ones from being carried out. Throws KernelError only when sending or
   * receiving fails (ENOBUFS: there were more refusals than the socket can hold; ETIMEDOUT: no answer),
   * and INTERNAL while a slow request is under way on this socket.
   */
  request(requests: readonly NetlinkRequest[]): RequestOutcome[] {
    return this.#exchange({ requests, acknowledged: requests.length - 1, atomic: false });
  }

  /**
   * Sends a transaction of nfnetlink: `requests` begins with NFNL_MSG_BATCH_BEGIN and ends with
   * NFNL_MSG_BATCH_END. One refusal means that nothing was done; a refusal of the commit itself is the
   * outcome of the first. Throws as {@link request} does.
   */
  batch(requests: readonly NetlinkRequest[]): RequestOutcome[] {
    // Kernels before 6.10 never acknowledge the end, so the last message before it is asked.
    return this.#exchange({ requests, acknowledged: requests.length - 2, atomic: true });
  }

  /** Like {@link request}, but the kernel's work is done on another thread; for what it sleeps under. */
  requestSlow(requests: readonly NetlinkRequest[]): Promise<RequestOutcome[]> {
    return this.#slowly(async () => {
      const [head] = requests;
      if (head === undefined) return [];
      const exchange = { requests, acknowledged: requests.length - 1, atomic: false };
      const first = this.#write(exchange);
      await this.#sendSlow(head);
      return this.#outcomes(exchange, first);
    });
  }

  /** Carries out one request. Throws KernelError when the kernel refuses. */
  execute(request: NetlinkRequest): void {
    const [outcome] = this.request([request]);
    if (outcome !== undefined) throw outcome;
  }

  /**
   * Asks for a dump and gives `decode` of each message that is not undefined. A dump that the kernel
   * marks as inconsistent (NLM_F_DUMP_INTR) or that overran the buffer is asked for again. Throws
   * KernelError when it is refused or never became consistent.
   */
  dump<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined): T[] {
    this.#requireIdle(request);
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const sequence = this.#writeDump(request);
      sys.send(this.#fd, this.#writer.finish(), request.call, request.object);
      const results = this.#dumped(request, sequence, decode);
      if (results !== undefined) return results;
    }
    throw changedMeanwhile(request);
  }

  /**
   * Like {@link dump}, but the kernel begins on another thread. For what it looks for a few objects in a large
   * table, it has gone through all of that by then.
   */
  dumpSlow<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined): Promise<T[]> {
    return this.#slowly(async () => {
      for (let attempt = 0; attempt < dumpAttempts; attempt++) {
        const sequence = this.#writeDump(request);
        await this.#sendSlow(request);
        const results = this.#dumped(request, sequence, decode);
        if (results !== undefined) return results;
      }
      throw changedMeanwhile(request);
    });
  }

  /** Asks for one object. Undefined when the kernel says that it is not there. Throws KernelError for other refusals. */
  get<T>(
    request: NetlinkRequest,
    decode: (message: NetlinkMessage) => T,
    absent: readonly string[],
  ): T | undefined {
    this.#requireIdle(request);
    const first = this.#write({ requests: [request], acknowledged: 0, atomic: false });
    sys.send(this.#fd, this.#writer.finish(), request.call, request.object);
    let result: T | undefined;
    for (;;) {
      for (const message of this.#receiveAnswer(request)) {
        if (message.sequence !== first) continue;
        if (message.type !== NLMSG_ERROR) {
          result = decode(message);
          continue;
        }
        const answer = readAcknowledgement(message);
        // That it is not there is an answer; an error with its stack is for what is none.
        if (answer.errno === 0 || absent.includes(errnoName(answer.errno))) return result;
        throw refusal(request, answer);
      }
    }
  }

  /** Closes the socket; calling it twice does no harm. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    sys.close(this.#fd);
  }

  /** {@link close} on a thread of its own, for a socket under whose closing the kernel sleeps. */
  async closeSlowly(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await sys.closeSlowly(this.#fd);
  }

  /** Runs work of which others must not take the answers, after what is under way. */
  #slowly<T>(work: () => Promise<T>): Promise<T> {
    this.#slow++;
    const result = this.#tail.then(work).finally(() => this.#slow--);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Sends what was written on another thread. */
  async #sendSlow({ call, object }: NetlinkRequest): Promise<void> {
    const datagram = Buffer.from(this.#writer.finish()); // the writer is used again meanwhile
    await sys.sendAsync(this.#fd, datagram, call, object);
  }

  #exchange(exchange: Exchange): RequestOutcome[] {
    const [head] = exchange.requests;
    if (head === undefined) return [];
    this.#requireIdle(head);
    const first = this.#write(exchange);
    sys.send(this.#fd, this.#writer.finish(), head.call, head.object);
    return this.#outcomes(exchange, first);
  }

  /** The answer to a slow request must not be received by another one. */
  #requireIdle({ call, object }: NetlinkRequest): void {
    if (this.#slow > 0)
      throw new WeftError("INTERNAL", `${call} ${object}: the socket waits for a slow request`);
  }

  /** Writes the messages into the writer; one of them asks for an acknowledgement. Gives the first's sequence. */
  #write({ requests, acknowledged }: Exchange): number {
    this.#writer.length = 0;
    const first = this.#sequence + 1;
    for (const [i, request] of requests.entries()) {
      const ack = i === acknowledged ? NLM_F_ACK : 0;
      writeMessage(this.#writer, request, NLM_F_REQUEST | ack, first + i);
    }
    this.#sequence += requests.length;
    return first;
  }

  /** Receives until the acknowledged request was answered; errors of earlier ones come before that. */
  #outcomes({ requests, acknowledged, atomic }: Exchange, first: number): RequestOutcome[] {
    const outcomes = new Array<RequestOutcome>(requests.length).fill(undefined);
    const [head] = requests;
    if (head === undefined) return outcomes;
    for (;;) {
      for (const message of this.#receiveAnswer(head)) {
        const index = message.sequence - first;
        const request = requests[index];
        if (message.type !== NLMSG_ERROR || request === undefined) continue;
        outcomes[index] ??= refusal(request, readAcknowledgement(message));
        // A refused commit is told on the batch's first message, and nothing need follow.
        if (index === acknowledged || (atomic && index === 0)) return outcomes;
      }
    }
  }

  /** Writes the request of a dump. Gives its sequence. */
  #writeDump(request: NetlinkRequest): number {
    const sequence = ++this.#sequence;
    this.#writer.length = 0;
    writeMessage(this.#writer, request, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    return sequence;
  }

  /** One attempt at a dump that was sent, read to its end in any case, for the kernel carries out one at a time. */
  #dumped<T>(
    request: NetlinkRequest,
    sequence: number,
    decode: (message: NetlinkMessage) => T | undefined,
  ): T[] | undefined {
    const dump = new Dump(request, decode);
    while (!dump.ended) {
      try {
        for (const message of this.#receive(request)) if (message.sequence === sequence) dump.take(message);
      } catch (error) {
        if (!isKernelError(error, "ENOBUFS")) throw error;
        dump.consistent = false;
      }
    }
    return dump.outcome();
  }

  /** Receives, and after an overrun (ENOBUFS) first empties the socket: it takes nothing new before that. */
  #receiveAnswer(request: NetlinkRequest): Iterable<NetlinkMessage> {
    try {
      return this.#receive(request);
    } catch (error) {
      if (isKernelError(error, "ENOBUFS")) discardAll(this.#fd);
      throw error;
    }
  }

  #receive(request: NetlinkRequest): Iterable<NetlinkMessage> {
    const { call, object } = request;
    for (;;) {
      try {
        const length = sys.recv(this.#fd, receiveBuffer, sys.MSG_TRUNC, `${call} ${object}`);
        if (length <= receiveBuffer.length) return readMessages(receiveBuffer.subarray(0, length));
        throw new KernelError({ errno: EMSGSIZE, call, object: `${object}: answer of ${length} bytes` });
      } catch (error) {
        // A signal handler ran; a socket with a timeout is not waited for again by itself.
        if (isKernelError(error, "EINTR")) continue;
        if (isKernelError(error, "EAGAIN"))
          throw new KernelError({ errno: ETIMEDOUT, call, object: `${object}: no answer` });
        throw error;
      }
    }
  }
}

function changedMeanwhile({ call, object }: NetlinkRequest): KernelError {
  return new KernelError({
    errno: EINTR,
    call,
    object: `${object}: changed during each of ${dumpAttempts} dumps`,
  });
}
