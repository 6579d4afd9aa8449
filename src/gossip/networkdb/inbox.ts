import { messageOf } from "../../core/index.ts";
import type { BulkSyncs } from "./bulk-syncs.ts";
import type { DbState } from "./db-state.ts";
import type { BulkSync, Message } from "./messages.ts";
import type { NetworkEvents } from "./network-events.ts";
import type { NodeEvents } from "./node-events.ts";
import type { TableEvents } from "./table-events.ts";
import { decodeMessage } from "./wire/codec.ts";

/** The parts that messages are handed to. */
export interface Receivers {
  readonly nodeEvents: NodeEvents;
  readonly networkEvents: NetworkEvents;
  readonly tableEvents: TableEvents;
  readonly bulkSyncs: BulkSyncs;
}

/** Where a message was found: by itself, in a compound, or in a bulk sync's payload. */
type Wrapping = "none" | "compound" | "sync" | "sync-compound";

/** Takes messages apart and hands them on. What cannot be read is counted, and otherwise has no effect. */
export class Inbox {
  readonly #state: DbState;
  readonly #to: Receivers;

  constructor(state: DbState, receivers: Receivers) {
    this.#state = state;
    this.#to = receivers;
  }

  /** A user message that membership brought. */
  receive(bytes: Uint8Array): void {
    this.#handle(bytes, "none");
  }

  /** The other side's part of a push/pull exchange. */
  merge(bytes: Uint8Array): void {
    const message = this.#decode(bytes);
    if (message === undefined) return;
    if (message.kind !== "push-pull") this.#malformed(`${message.kind} in place of a push/pull`);
    else if (!this.#state.networkClock.witness(message.time))
      this.#state.counters.refuse("time-absurd", { node: message.node, time: message.time });
    else {
      this.#to.nodeEvents.hear({ kind: "node", change: "join", node: message.node, time: message.time });
      this.#to.networkEvents.hearAll(message);
    }
  }

  #handle(bytes: Uint8Array, wrapping: Wrapping): void {
    const message = this.#decode(bytes);
    if (message === undefined) return;
    const fromSync = wrapping === "sync" || wrapping === "sync-compound";
    if (message.kind === "table") this.#to.tableEvents.hear(message, bytes, fromSync);
    else if (message.kind === "network") this.#to.networkEvents.hear(message, fromSync);
    else if (message.kind === "node") this.#to.nodeEvents.hear(message);
    else if (message.kind === "compound" && (wrapping === "none" || wrapping === "sync"))
      for (const part of message.parts) this.#handle(part, fromSync ? "sync-compound" : "compound");
    else if (message.kind === "bulk-sync" && wrapping === "none") this.#handleSync(message);
    else this.#malformed(`${message.kind} where none can be`);
  }

  #handleSync(message: BulkSync): void {
    const { nodes, tableClock, counters, self } = this.#state;
    const { node, time, payload } = message;
    const state = nodes.get(node)?.state;
    if (node === self || state === undefined || state === "left") counters.refuse("unknown-node", { node });
    else if (!tableClock.witness(time)) counters.refuse("time-absurd", { node, time });
    else {
      if (payload.length > 0) this.#handle(payload, "sync");
      this.#to.bulkSyncs.received(message);
    }
  }

  #decode(bytes: Uint8Array): Message | undefined {
    try {
      return decodeMessage(bytes);
    } catch (error) {
      this.#malformed(messageOf(error));
      return undefined;
    }
  }

  #malformed(error: string): void {
    this.#state.counters.refuse("malformed", { error });
  }
}
