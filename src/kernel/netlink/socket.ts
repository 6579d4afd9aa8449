import { WeftError } from "../../core/index.ts";
import { KernelError } from "../kernel-error.ts";
import * as sys from "../syscalls.ts";
import {
  type Acknowledgement,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readMessages,
  writeMessage,
} from "./message.ts";
import { Writer } from "./wire.ts";

/** Netlink families, include/uapi/linux/netlink.h. */
export const NETLINK_ROUTE = 0;
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
/** A dump that the kernel changed under is asked for again, this often. */
const dumpAttempts = 50;

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

  /** Opens a socket of `family` in the calling thread's network namespace. Throws KernelError. */
  static open(family: number): NetlinkSocket {
    const fd = sys.socket(sys.AF_NETLINK, sys.SOCK_RAW, family);
    try {
      sys.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
      sys.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
      if (family === NETLINK_ROUTE) sys.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
      sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_RCVBUFFORCE, receiveBufferBytes);
      sys.setsockopt(fd, sys.SOL_SOCKET, sys.SO_SNDBUFFORCE, sendBufferBytes);
      return new NetlinkSocket(fd);
    } catch (error) {
      sys.close(fd);
      throw error;
    }
  }

  /**
   * Sends `requests` in one datagram and gives the outcome of each, in their order. A refused message
   * does not keep the later ones from being carried out. Throws KernelError only when sending or
   * receiving fails, and INTERNAL while a slow request is under way on this socket.
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
    const run = async () => {
      const [head] = requests;
      if (head === undefined) return [];
      const exchange = { requests, acknowledged: requests.length - 1, atomic: false };
      const first = this.#write(exchange);
      const datagram = Buffer.from(this.#writer.finish()); // the writer is used again meanwhile
      await sys.sendAsync(this.#fd, datagram, head.call, head.object);
      return this.#outcomes(exchange, first);
    };
    this.#slow++;
    const result = this.#tail.then(run).finally(() => this.#slow--);
    this.#tail = result.catch(() => {});
    return result;
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
    for (let attempt = 0; attempt < dumpAttempts; attempt++) {
      const results = this.#dumpOnce(request, decode);
      if (results !== undefined) return results;
    }
    throw new KernelError({
      errno: 4,
      call: request.call,
      object: `${request.object}: changed during each of ${dumpAttempts} dumps`,
    });
  }

  /** Asks for one object. Undefined when the kernel says that it is not there. Throws KernelError for other refusals. */
  get<T>(
    request: NetlinkRequest,
    decode: (message: NetlinkMessage) => T,
    absent: readonly string[],
  ): T | undefined {
    const first = this.#write({ requests: [request], acknowledged: 0, atomic: false });
    sys.send(this.#fd, this.#writer.finish(), request.call, request.object);
    let result: T | undefined;
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.sequence !== first) continue;
        if (message.type !== NLMSG_ERROR) {
          result = decode(message);
          continue;
        }
        const outcome = refusal(request, readAcknowledgement(message));
        if (outcome === undefined || absent.includes(outcome.errnoName)) return result;
        throw outcome;
      }
    }
  }

  /** Closes the socket; calling it twice does no harm. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    sys.close(this.#fd);
  }

  #exchange(exchange: Exchange): RequestOutcome[] {
    const [head] = exchange.requests;
    if (head === undefined) return [];
    if (this.#slow > 0)
      throw new WeftError("INTERNAL", `${head.call} ${head.object}: the socket waits for a slow request`);
    const first = this.#write(exchange);
    sys.send(this.#fd, this.#writer.finish(), head.call, head.object);
    return this.#outcomes(exchange, first);
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
      for (const message of this.#receive(head)) {
        const index = message.sequence - first;
        const request = requests[index];
        if (message.type !== NLMSG_ERROR || request === undefined) continue;
        outcomes[index] ??= refusal(request, readAcknowledgement(message));
        // A refused commit is told on the batch's first message, and nothing need follow.
        if (index === acknowledged || (atomic && index === 0)) return outcomes;
      }
    }
  }

  #dumpOnce<T>(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined): T[] | undefined {
    const sequence = ++this.#sequence;
    this.#writer.length = 0;
    writeMessage(this.#writer, request, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    sys.send(this.#fd, this.#writer.finish(), request.call, request.object);
    const results: T[] = [];
    let consistent = true;
    for (;;) {
      for (const message of this.#receive(request)) {
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) consistent = false;
        if (message.type === NLMSG_DONE) return consistent ? results : undefined;
        if (message.type === NLMSG_ERROR) {
          const outcome = refusal(request, readAcknowledgement(message));
          if (outcome?.errnoName === "EINTR" || outcome?.errnoName === "EAGAIN") return undefined;
          if (outcome !== undefined) throw outcome;
          return results;
        }
        const value = decode(message);
        if (value !== undefined) results.push(value);
      }
    }
  }

  #receive(request: NetlinkRequest): Iterable<NetlinkMessage> {
    const length = sys.recv(this.#fd, receiveBuffer, sys.MSG_TRUNC, `${request.call} ${request.object}`);
    if (length > receiveBuffer.length) {
      throw new KernelError({
        errno: 90,
        call: request.call,
        object: `${request.object}: answer of ${length} bytes`,
      });
    }
    return readMessages(receiveBuffer.subarray(0, length));
  }
}

function refusal(request: NetlinkRequest, ack: Acknowledgement): RequestOutcome {
  if (ack.errno === 0) return undefined;
  return new KernelError({ call: request.call, object: request.object, ...ack });
}
