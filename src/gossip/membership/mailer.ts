import { WeftError } from "../../core/index.ts";
import { type Place, placeText, type Transport } from "../transport/index.ts";
import {
  bodyOf,
  compoundHeaderOverhead,
  compoundOverhead,
  crcBytes,
  type Envelope,
  encodeCompound,
  maxCompoundParts,
  messageType,
  packetRoom,
  wrapPacket,
} from "../wire/index.ts";
import type { NodeContext } from "./context.ts";
import type { MemberRecord } from "./member-record.ts";
import { crcSince, protocolMaxOf } from "./versions.ts";

/** A user message is one byte longer in a packet. */
const userTypeBytes = 1;

/** Sends packets, filled up with what waits to be passed on. */
export class Mailer {
  readonly #context: NodeContext;
  readonly #transport: Transport;
  readonly #envelope: Envelope;

  constructor(context: NodeContext, transport: Transport, envelope: Envelope) {
    this.#context = context;
    this.#transport = transport;
    this.#envelope = envelope;
  }

  /** Sends a message alone. `peer` is who lives there, if that is known. */
  send(to: Place, message: Uint8Array, peer?: MemberRecord): void {
    this.#sendBody(to, bodyOf(message), peer);
  }

  #sendBody(to: Place, body: Buffer, peer?: MemberRecord): void {
    const withCrc = peer !== undefined && protocolMaxOf(peer.versions) >= crcSince;
    const packet = wrapPacket(this.#envelope, body, withCrc);
    const { counters } = this.#context;
    counters.packetsSent++;
    counters.bytesSent += packet.length;
    this.#transport.send(to, packet);
  }

  /** Sends a message, and in the same packet what else there is to tell. */
  sendWithGossip(to: Place, message: Uint8Array, peer?: MemberRecord): void {
    const room = this.#room() - compoundHeaderOverhead - compoundOverhead - message.length;
    const others = this.#broadcasts(room, maxCompoundParts - 1);
    if (others.length === 0) this.send(to, message, peer);
    else this.sendTogether(to, [message, ...others], peer);
  }

  /** Sends several messages as one packet. */
  sendTogether(to: Place, messages: readonly Uint8Array[], peer?: MemberRecord): void {
    this.#sendBody(to, encodeCompound(messages, crcBytes), peer);
  }

  /** What there is to tell in one packet; counted as told. */
  news(): readonly Uint8Array[] {
    return this.#broadcasts(this.#room() - compoundHeaderOverhead, maxCompoundParts);
  }

  /** Sends {@link Mailer.news}. */
  tell(to: MemberRecord, news: readonly Uint8Array[]): void {
    const [first] = news;
    if (first !== undefined && news.length === 1) this.send(to, first, to);
    else this.sendTogether(to, news, to);
  }

  /** Sends a user message. Throws GOSSIP_TOO_LONG when it does not fit into a packet. */
  sendUser(to: Place, message: Uint8Array, peer?: MemberRecord): void {
    const most = this.#room() - userTypeBytes;
    if (message.length > most)
      throw new WeftError(
        "GOSSIP_TOO_LONG",
        `gossip message of ${message.length} bytes to ${placeText(to)}: a packet has room for ${most}`,
      );
    this.send(to, asUser(message), peer);
  }

  #room(): number {
    return packetRoom(this.#envelope, this.#context.profile.packetBudget);
  }

  /** Membership's own news first, then the layer above's. */
  #broadcasts(room: number, most: number): readonly Uint8Array[] {
    const { queue, table, delegate } = this.#context;
    const own = queue.take(compoundOverhead, room, table.size);
    if (own.length >= most) return own.slice(0, most);
    let left = room;
    for (const message of own) left -= message.length + compoundOverhead;
    const overhead = compoundOverhead + userTypeBytes;
    if (left <= overhead) return own;
    const users = delegate.broadcasts(overhead, left);
    if (users.length === 0) return own;
    return [...own, ...this.#fitting(users, left, overhead, most - own.length)];
  }

  /** What the layer above gave beyond its limit is dropped, and told. */
  #fitting(
    messages: readonly Uint8Array[],
    room: number,
    overhead: number,
    most: number,
  ): readonly Uint8Array[] {
    const fit: Uint8Array[] = [];
    let left = room;
    for (const message of messages) {
      if (message.length + overhead > left || fit.length >= most) {
        this.#context.log.warn("dropped a broadcast that is over the limit", { bytes: message.length });
        continue;
      }
      left -= message.length + overhead;
      fit.push(asUser(message));
    }
    return fit;
  }
}

/** A user message for a packet, with its type byte. */
function asUser(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(userTypeBytes + message.length);
  bytes[0] = messageType.user;
  bytes.set(message, userTypeBytes);
  return bytes;
}
