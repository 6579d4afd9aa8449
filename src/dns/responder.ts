import type { DnsCounters } from "./counters.ts";
import type { NameView } from "./name-view.ts";
import { rcode, readUint16, type Transport } from "./protocol.ts";
import { type AskingQuery, parseQuery } from "./query.ts";
import { asksForBareName, noData, type RandomBelow, resolve, resolveUnknown } from "./resolver.ts";
import { answerLimit, encodeAnswer, encodeRefusal } from "./response.ts";

/** A whole response message, or undefined when there is none to send. */
export type Reply = Uint8Array | undefined;

/**
 * Answers one message, of which nothing is used after the call. It never throws or rejects. The answer
 * is a promise only if others had to be asked, so that a name of our own costs no turn of the event loop.
 */
export type Respond = (message: Uint8Array, transport: Transport) => Reply | Promise<Reply>;

/** A query for a name that is nobody's in the view. */
export interface ForwardRequest {
  readonly query: AskingQuery;
  readonly transport: Transport;
}

/** Asks others, and gives a whole response with the query's id, or undefined when it ended before there was one. */
export type Forward = (request: ForwardRequest) => Reply | Promise<Reply>;

/** Where the names go that are nobody's in a sandbox's view. */
export interface Upstreams {
  readonly forward: Forward;
  /** Whether addresses of names without a dot are not asked for, see Forwarding.ndots. */
  readonly keepsBareNames: boolean;
}

/** What a responder works with. */
export interface ResponderInit {
  /** The sandbox's view as it is now. */
  readonly view: () => NameView;
  readonly random: RandomBelow;
  readonly counters: DnsCounters;
  /** Who is asked for unknown names, as it is now; while nobody is, they are decided here, see resolveUnknown. */
  readonly upstreams?: () => Upstreams | undefined;
}

/** The way from a message to its answer, for one sandbox. */
export function createResponder(init: ResponderInit): Respond {
  const { counters } = init;
  const count = (reply: Reply): Reply => {
    if (reply === undefined) counters.dropped++;
    else countReply(counters, reply);
    return reply;
  };
  const failed = (message: Uint8Array): Reply => {
    counters.failures++;
    return count(serverFailure(message));
  };
  return (message, transport) => {
    if (transport === "udp") counters.udpMessages++;
    else counters.tcpMessages++;
    try {
      const reply = answer(init, message, transport);
      return reply instanceof Promise ? reply.then(count, () => failed(message)) : count(reply);
    } catch {
      return failed(message); // whatever a client sends, it must not take the server down
    }
  };
}

function answer(init: ResponderInit, message: Uint8Array, transport: Transport): Reply | Promise<Reply> {
  const incoming = parseQuery(message);
  if (incoming.kind === "drop") return undefined;
  if (incoming.kind === "refuse") return encodeRefusal(incoming.query, incoming.rcode);
  const { query } = incoming;
  const view = init.view();
  let resolution = resolve(query.question, view, init.random);
  if (resolution.kind === "unknown") {
    const upstreams = init.upstreams?.();
    if (upstreams === undefined) resolution = resolveUnknown(query.question.name, view);
    else if (upstreams.keepsBareNames && asksForBareName(query.question)) resolution = noData;
    else return upstreams.forward({ query, transport });
  }
  return encodeAnswer(query, resolution, answerLimit(query, transport));
}

function serverFailure(message: Uint8Array): Reply {
  if (message.length < 2) return undefined;
  const [id, flags] = [readUint16(message, 0), readUint16(message, 2)];
  return encodeRefusal({ id, flags, question: undefined, edns: undefined }, rcode.SERVFAIL);
}

function countReply(counters: DnsCounters, reply: Uint8Array): void {
  const code = (reply[3] ?? 0) & 0xf;
  counters.replies[code] = (counters.replies[code] ?? 0) + 1;
}
