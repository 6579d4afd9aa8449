import type { Member } from "../cluster.ts";
import type { AttachmentRecord, NetworkEvent } from "./messages.ts";

/**
 * active: its entries count. failed: membership lost it; its entries are kept, hidden, until it returns. left:
 * it said so, or another has come in its place; its entries are gone.
 */
export type NodeState = "active" | "failed" | "left";

/** A node's being on a network, or its having left: then until when that is remembered. */
export interface Attachment {
  readonly time: number;
  /** ms of the monotonic clock; undefined while the node is on the network. */
  readonly forgetAt: number | undefined;
}

/** What is known of one node of the cluster. */
export interface NodeRecord {
  readonly name: string;
  state: NodeState;
  /** Where membership last saw it: "address/port". */
  place: string;
  /** Of the network clock: its latest node event. */
  time: number;
  /** When its state changed, ms of the monotonic clock. */
  since: number;
  /** Its entries were dropped: it failed long ago. */
  isEmptied: boolean;
  /** The node that was seen in its place while membership still had it. */
  replacedBy: string | undefined;
  /** By network id. */
  readonly attachments: Map<string, Attachment>;
}

/** What became of news about an attachment. */
export type AttachOutcome = "attached" | "left" | "renewed" | "stale" | "full";

/** The nodes that membership knows or knew, and who of them is on which network. */
export class Nodes {
  readonly #records = new Map<string, NodeRecord>();
  /** Network id to the nodes that are on it, whatever their state. */
  readonly #onNetwork = new Map<string, Set<NodeRecord>>();

  get(name: string): NodeRecord | undefined {
    return this.#records.get(name);
  }

  all(): Iterable<NodeRecord> {
    return this.#records.values();
  }

  /** Records a node that membership shows for the first time. */
  add(member: Member, now: number): NodeRecord {
    return this.#add(member.name, placeOf(member), now);
  }

  /** Records this node. */
  addSelf(name: string, now: number): NodeRecord {
    return this.#add(name, "", now);
  }

  #add(name: string, place: string, now: number): NodeRecord {
    const record: NodeRecord = {
      name,
      state: "active",
      place,
      time: 0,
      since: now,
      isEmptied: false,
      replacedBy: undefined,
      attachments: new Map(),
    };
    this.#records.set(name, record);
    return record;
  }

  forget(record: NodeRecord): void {
    this.detachAll(record);
    this.#records.delete(record.name);
  }

  /** Nodes of other names that were last seen at the same address and port. */
  othersAt(record: NodeRecord): NodeRecord[] {
    return [...this.#records.values()].filter((other) => other !== record && other.place === record.place);
  }

  /** Whether `name` is active and on the network. */
  isOn(name: string, network: string): boolean {
    const attachment = this.#records.get(name)?.attachments.get(network);
    return attachment !== undefined && attachment.forgetAt === undefined;
  }

  /** The nodes on a network that are active. */
  activeOn(network: string): NodeRecord[] {
    return [...(this.#onNetwork.get(network) ?? [])].filter((record) => record.state === "active");
  }

  /** How many nodes are on a network. */
  countOn(network: string): number {
    return this.#onNetwork.get(network)?.size ?? 0;
  }

  /** The networks that `record` is on and `other` too. */
  commonNetworks(record: NodeRecord, other: NodeRecord): string[] {
    return [...record.attachments]
      .filter(([network, { forgetAt }]) => forgetAt === undefined && this.isOn(other.name, network))
      .map(([network]) => network);
  }

  /** Takes news of an attachment. A leave of a network that the node never was on is remembered too. */
  attach(
    record: NodeRecord,
    event: Pick<NetworkEvent, "network" | "change" | "time">,
    forgetAt: number,
    limit: number,
  ): AttachOutcome {
    const { network, change, time } = event;
    const known = record.attachments.get(network);
    if (known !== undefined && known.time >= time) return "stale";
    if (known === undefined && record.attachments.size >= limit) return "full";
    const was = known !== undefined && known.forgetAt === undefined;
    const is = change === "join";
    record.attachments.set(network, { time, forgetAt: is ? undefined : forgetAt });
    if (was === is) return "renewed";
    if (is) this.#on(network).add(record);
    else this.#off(network, record);
    return is ? "attached" : "left";
  }

  /** Takes a node off a network, without news from itself. */
  detach(record: NodeRecord, network: string, forgetAt: number): void {
    const known = record.attachments.get(network);
    if (known === undefined) return;
    record.attachments.set(network, { time: known.time, forgetAt });
    this.#off(network, record);
  }

  /** Forgets all attachments of a node. Gives the networks that it was on. */
  detachAll(record: NodeRecord): string[] {
    const networks = [...record.attachments.keys()].filter((network) => this.isOn(record.name, network));
    for (const network of networks) this.#off(network, record);
    record.attachments.clear();
    return networks;
  }

  /** Forgets that a node left networks, where that was long ago. */
  reapAttachments(record: NodeRecord, now: number): void {
    for (const [network, { forgetAt }] of record.attachments)
      if (forgetAt !== undefined && forgetAt <= now) record.attachments.delete(network);
  }

  /** Who is on which network and who has left, of all nodes that did not leave the cluster. */
  *attachments(): Generator<AttachmentRecord> {
    for (const record of this.#records.values())
      for (const [network, attachment] of record.attachments) yield recordOf(record, network, attachment);
  }

  /** The same of some networks. */
  attachmentsOf(networks: readonly string[]): AttachmentRecord[] {
    const found: AttachmentRecord[] = [];
    for (const record of this.#records.values())
      for (const network of networks) {
        const attachment = record.attachments.get(network);
        if (attachment !== undefined) found.push(recordOf(record, network, attachment));
      }
    return found;
  }

  #on(network: string): Set<NodeRecord> {
    let records = this.#onNetwork.get(network);
    if (records === undefined) {
      records = new Set();
      this.#onNetwork.set(network, records);
    }
    return records;
  }

  #off(network: string, record: NodeRecord): void {
    const records = this.#onNetwork.get(network);
    records?.delete(record);
    if (records?.size === 0) this.#onNetwork.delete(network);
  }
}

/** An address and port as one text. */
export function placeOf(member: Member): string {
  return `${member.address}/${member.port}`;
}

function recordOf(record: NodeRecord, network: string, attachment: Attachment): AttachmentRecord {
  const { time, forgetAt } = attachment;
  return { network, time, node: record.name, leaving: forgetAt !== undefined };
}
