import {
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  RECURSION_DESIRED,
  type RecordType,
} from "dns-packet";
import { type Id, type IpAddress, parseAddress, parseId } from "../../src/core/index.ts";
import type { RandomBelow } from "../../src/dns/index.ts";

/** An id whose digits are those of `n`. */
export function idOf(n: number): Id {
  return parseId(n.toString(16).padStart(64, "0"));
}

/** Addresses from their texts. */
export function addresses(...texts: readonly string[]): readonly IpAddress[] {
  return texts.map(parseAddress);
}

/** Repeatable randomness (mulberry32). */
export function seeded(seed: number): RandomBelow {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** A query as a stub resolver sends it. */
export function queryFor(name: string, type: RecordType = "A", more: Packet = {}): Buffer {
  return encode({ type: "query", id: 4711, flags: RECURSION_DESIRED, questions: [{ name, type }], ...more });
}

/** An OPT record for the additional section of {@link queryFor}. */
export function opt(udpPayloadSize: number, more: { flags?: number; ednsVersion?: number } = {}): Packet {
  const record = { udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return { additionals: [{ type: "OPT", name: ".", ...record, ...more }] };
}

/** A decoded response; dns-packet gives the code's name, which its types leave out. */
export type DecodedResponse = DecodedPacket & { readonly rcode: string };

/** Reads a response with dns-packet. */
export function decodeResponse(reply: Uint8Array | undefined): DecodedResponse {
  if (reply === undefined) throw new Error("there was no reply");
  return decode(Buffer.from(reply)) as DecodedResponse; // decode() does set rcode
}

/** The data of all answers, sorted. */
export function dataOf(response: DecodedPacket): readonly string[] {
  return (response.answers ?? []).map((answer) => ("data" in answer ? String(answer.data) : "")).sort();
}
