import { readMessages } from "../message.ts";
import { splitHeader } from "../nfnetlink.ts";
import { generationAttributes } from "./generation.ts";
import { messageType } from "./protocol.ts";

/** Passes over the transactions that one thread makes; for the group NFNLGRP_NFTABLES. */
export interface GenerationsFilter {
  readonly filter: "generations";
  /** The thread, as the kernel numbers it: see {@link askGeneration}. */
  readonly exceptThread: number;
}

const newGeneration = messageType("NFT_MSG_NEWGEN");

/** Holds back what a transaction did until the kernel tells, as it does last, who made it. */
export class GenerationFilter {
  readonly #exceptThread: number;
  #held: Uint8Array[] = [];

  constructor({ exceptThread }: GenerationsFilter) {
    this.#exceptThread = exceptThread;
  }

  pass(datagram: Buffer): readonly Uint8Array[] {
    this.#held.push(Uint8Array.prototype.slice.call(datagram));
    for (const message of readMessages(datagram)) {
      if (message.type !== newGeneration) continue;
      const { pid } = generationAttributes.read(splitHeader(message).attributes);
      const held = this.#held;
      this.#held = [];
      return pid === this.#exceptThread ? [] : held;
    }
    return [];
  }

  reset(): void {
    this.#held = [];
  }
}
