/** What a node tells of itself: it joined the cluster, or leaves it. Time: the network clock. */
export interface NodeEvent {
  readonly kind: "node";
  readonly change: "join" | "leave";
  readonly time: number;
  readonly node: string;
}

/** A node came to a network or left it. Time: the network clock. */
export interface NetworkEvent {
  readonly kind: "network";
  readonly change: "join" | "leave";
  readonly time: number;
  readonly node: string;
  readonly network: string;
}

/** One entry was written or deleted. Time: the table clock. */
export interface TableEvent {
  readonly kind: "table";
  readonly change: "create" | "update" | "delete";
  readonly time: number;
  /** The owner: who wrote it last. */
  readonly node: string;
  readonly network: string;
  readonly table: string;
  readonly key: string;
  /** Of a delete: what the entry held before. May be a view of the bytes that it was decoded from. */
  readonly value: Uint8Array;
  /** Seconds until a deleted entry may be forgotten; 0 for others. */
  readonly residualSeconds: number;
}

/** What happens, and is passed on as it does. */
export type Event = NodeEvent | NetworkEvent | TableEvent;

/** The entries of some networks, or a part of them. */
export interface BulkSync {
  readonly kind: "bulk-sync";
  /** The sender's table clock. */
  readonly time: number;
  /** A request: the receiver shall answer with its own entries of `networks`. */
  readonly unsolicited: boolean;
  readonly node: string;
  /** Empty in all parts but the last, which ends the request or the answer. */
  readonly networks: readonly string[];
  /** An encoded message, by custom a compound. */
  readonly payload: Uint8Array;
}

/** Several encoded messages. */
export interface Compound {
  readonly kind: "compound";
  readonly parts: readonly Uint8Array[];
}

/** One node's being on one network, or having left it. */
export interface AttachmentRecord {
  readonly network: string;
  readonly time: number;
  readonly node: string;
  readonly leaving: boolean;
}

/** One side's part of a push/pull exchange: who is on which network. */
export interface PushPull {
  readonly kind: "push-pull";
  /** The sender's network clock. */
  readonly time: number;
  readonly node: string;
  readonly attachments: readonly AttachmentRecord[];
}

/** Every message of the protocol (gossip.md B.12). */
export type Message = Event | BulkSync | Compound | PushPull;
