import { type Answer, encode, type Packet, type SoaAnswer } from "dns-packet";
import type { AskingQuery } from "../../../src/dns/index.ts";
import { parseQuery } from "../../../src/dns/query.ts";

/** Reads a query that is one. */
export function asking(message: Uint8Array): AskingQuery {
  const incoming = parseQuery(message);
  if (incoming.kind !== "ask") throw new Error(`no query: ${incoming.kind}`);
  return incoming.query;
}

/** Address records of one name. */
export function aRecords(name: string, ttl: number, ...data: readonly string[]): Answer[] {
  return data.map((address) => ({ type: "A", name, ttl, class: "IN", data: address }));
}

/** The SOA of a zone, with the TTL for what is not there as its last number. */
export function soaRecord(name: string, ttl: number, minimum: number): SoaAnswer {
  const data = {
    mname: `ns.${name}`,
    rname: `admin.${name}`,
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum,
  };
  return { type: "SOA", name, ttl, class: "IN", data };
}

/** What a response has besides what it repeats of the query. */
export interface ResponseParts {
  readonly rcode?: number;
  /** Further bits of the header's second word. */
  readonly flags?: number;
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
  readonly additionals?: Answer[];
}

/** The response of a server to `query`, by dns-packet. */
export function responseTo(query: Uint8Array, parts: ResponseParts): Buffer {
  const { question, id } = asking(query);
  const response = {
    type: "response",
    id,
    flags: 0x0180 | (parts.rcode ?? 0) | (parts.flags ?? 0),
    questions: [],
    answers: parts.answers ?? [],
    authorities: parts.authorities ?? [],
    additionals: parts.additionals ?? [],
  } satisfies Packet;
  const message = encode(response);
  // dns-packet would write the question's name anew; a server sends back the bytes it got.
  const whole = Buffer.concat([message.subarray(0, 12), question.bytes, message.subarray(12)]);
  whole.writeUInt16BE(1, 4);
  return whole;
}
