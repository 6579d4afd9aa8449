import { KernelError } from "../kernel-error.ts";
import {
  type Acknowledgement,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  readAcknowledgement,
  readDumpEnd,
} from "./message.ts";

/** The error of a refused request; undefined when the kernel took it. */
export function refusal(request: NetlinkRequest, ack: Acknowledgement): KernelError | undefined {
  if (ack.errno === 0) return undefined;
  return new KernelError({ call: request.call, object: request.object, ...ack });
}

/** What has come of one dump. */
export class Dump<T> {
  readonly #request: NetlinkRequest;
  readonly #decode: (message: NetlinkMessage) => T | undefined;
  readonly #results: T[] = [];
  #failure: { readonly error: unknown } | undefined;
  ended = false;
  /** False when it has to be asked for again. */
  consistent = true;

  constructor(request: NetlinkRequest, decode: (message: NetlinkMessage) => T | undefined) {
    this.#request = request;
    this.#decode = decode;
  }

  take(message: NetlinkMessage): void {
    if ((message.flags & NLM_F_DUMP_INTR) !== 0) this.consistent = false;
    if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
      this.ended = true;
      const end = message.type === NLMSG_DONE ? readDumpEnd(message) : readAcknowledgement(message);
      const outcome = refusal(this.#request, end);
      if (outcome?.errnoName === "EINTR" || outcome?.errnoName === "EAGAIN") this.consistent = false;
      else if (outcome !== undefined) this.#failure ??= { error: outcome };
      return;
    }
    try {
      const value = this.#failure === undefined ? this.#decode(message) : undefined;
      if (value !== undefined) this.#results.push(value);
    } catch (error) {
      this.#failure = { error };
    }
  }

  /** The results; undefined when it was not consistent. Throws what went wrong. */
  outcome(): T[] | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.consistent ? this.#results : undefined;
  }
}
