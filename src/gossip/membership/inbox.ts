import type { Place } from "../transport/index.ts";
import { placeText } from "../transport/index.ts";
import {
  decodeAccusation,
  decodeAck,
  decodeAlive,
  decodeCompound,
  decodeIndirectPing,
  decodeNack,
  decodePing,
  decompress,
  type Envelope,
  encodeAck,
  encodeNack,
  encodePing,
  MalformedMessage,
  messageType,
  openPacket,
  PackReader,
  type PingSource,
  wireLimits,
} from "../wire/index.ts";
import type { Acks } from "./acks.ts";
import type { NodeContext } from "./context.ts";
import type { Refusal } from "./counters.ts";
import type { Mailer } from "./mailer.ts";
import { readAddress } from "./member-record.ts";
import type { Rumours } from "./rumours.ts";

/** What an inbox works with. */
export interface InboxParts {
  readonly context: NodeContext;
  readonly envelope: Envelope;
  readonly acks: Acks;
  readonly mailer: Mailer;
  readonly rumours: Rumours;
  /** This node, as it writes itself into pings. */
  readonly source: PingSource;
}

/** Where in a packet a message stands: its senders compress whole packets, and put no compound into another. */
type Depth = "packet" | "decompressed" | "part";

/** Takes packets: opens them, and does what each message asks for. Never throws. */
export class Inbox {
  readonly #parts: InboxParts;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  packet(packet: Buffer, from: Place): void {
    const { context, envelope } = this.#parts;
    context.counters.packetsReceived++;
    context.counters.bytesReceived += packet.length;
    const opened = openPacket(envelope, packet);
    if (opened.refused !== undefined) {
      this.#refuse(opened.refused === "empty" ? "malformed" : opened.refused, from);
      return;
    }
    try {
      this.#message(new PackReader(opened.message), from, "packet");
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#refuse("malformed", from, error.message);
    }
  }

  /** Does what the message asks for that `input` stands at. */
  #message(input: PackReader, from: Place, depth: Depth): void {
    const { context, rumours, acks } = this.#parts;
    const type = input.bytes[input.at++];
    switch (type) {
      case messageType.ping:
        this.#ping(input, from);
        return;
      case messageType.indirectPing:
        this.#indirectPing(input, from);
        return;
      case messageType.ack: {
        const { seqNo, payload } = decodeAck(input);
        acks.ack(seqNo, payload);
        return;
      }
      case messageType.nack:
        acks.nack(decodeNack(input));
        return;
      case messageType.suspect:
        rumours.suspect(decodeAccusation(input));
        return;
      case messageType.alive:
        rumours.alive(decodeAlive(input), from.address);
        return;
      case messageType.dead:
        rumours.dead(decodeAccusation(input));
        return;
      case messageType.user:
        context.delegate.received(input.rest);
        return;
      case messageType.compound:
        this.#compound(input, from, depth);
        return;
      case messageType.compress: {
        if (depth !== "packet") throw new MalformedMessage("gossip is compressed inside of a packet");
        this.#message(new PackReader(decompress(input, wireLimits.packet)), from, "decompressed");
        return;
      }
      default:
        this.#refuse("unknownType", from, `type ${type}`);
    }
  }

  /** One message that cannot be read spoils none of the others. */
  #compound(input: PackReader, from: Place, depth: Depth): void {
    if (depth === "part") throw new MalformedMessage("gossip compound inside of a compound");
    const cutOff = decodeCompound(input.bytes, input.at, input.end, (start, end) => {
      if (start === end) return;
      input.at = start;
      input.end = end;
      try {
        this.#message(input, from, "part");
      } catch (error) {
        if (!(error instanceof MalformedMessage)) throw error;
        this.#refuse("malformed", from, error.message);
      }
    });
    if (cutOff > 0) this.#refuse("malformed", from, `${cutOff} messages of a compound are cut off`);
  }

  #ping(input: PackReader, from: Place): void {
    const { context, mailer } = this.#parts;
    const { seqNo, node, source } = decodePing(input);
    if (node !== "" && node !== context.self) {
      this.#refuse("wrongNode", from, node);
      return;
    }
    const payload = context.hooks.ackPayload?.() ?? new Uint8Array(0);
    const asker = context.table.get(source.node);
    mailer.sendWithGossip(replyPlace(source, from), encodeAck({ seqNo, payload }), asker);
  }

  /** Asks for somebody else, with a number of its own, and hands the answer on. */
  #indirectPing(input: PackReader, from: Place): void {
    const { context, mailer, acks, source } = this.#parts;
    const request = decodeIndirectPing(input);
    const target = readAddress(request.target);
    if (target === undefined || request.port === 0)
      throw new MalformedMessage("indirect ping without a target");
    if (acks.isFull) {
      this.#refuse("tooManyRequests", from);
      return;
    }
    const back = replyPlace(request.source, from);
    const asker = context.table.get(request.source.node);
    const seqNo = acks.next();
    const place = { address: target.address, port: request.port };
    const member = context.table.get(request.node);
    const ask = () => mailer.sendWithGossip(place, encodePing({ seqNo, node: request.node, source }), member);
    // Asked again is a member alone: who makes us ask a stranger shall not get three packets for one.
    const isMember = member !== undefined && member.port === place.port && member.address === place.address;
    acks.expect(seqNo, context.profile.probeTimeout, {
      ack: () =>
        mailer.sendWithGossip(back, encodeAck({ seqNo: request.seqNo, payload: new Uint8Array(0) }), asker),
      ...(isMember && { again: ask }),
      expired: () => {
        if (request.nack) mailer.sendWithGossip(back, encodeNack(request.seqNo), asker);
      },
    });
    ask();
  }

  #refuse(why: Refusal, from: Place, detail = ""): void {
    const { counters, peerLog } = this.#parts.context;
    counters.refused[why]++;
    peerLog.warn("dropped a gossip packet", placeText(from), { why, detail });
  }
}

/** Where who asked wants the answer; old peers do not say. */
function replyPlace(source: PingSource, from: Place): Place {
  const named = source.port > 0 ? readAddress(source.address) : undefined;
  return named === undefined ? from : { address: named.address, port: source.port };
}
