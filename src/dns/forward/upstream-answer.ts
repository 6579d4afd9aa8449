import { flag, headerBytes, rcode as rcodes, readUint16, recordType } from "../protocol.ts";
import { type AskedQuestion, hasQuestion } from "./asked-question.ts";
import { NameChecker } from "./compressed-names.ts";
import { rdataHolds } from "./record-data.ts";

/** Type, class, TTL and length of a record, behind its name. */
const fixedBytes = 10;
/** TTLs with the highest bit set count as 0 (RFC 2181 §8). */
const largestTtl = 0x7fffffff;
/** Transaction signatures are between two neighbours (RFC 8945), and nothing for the client. */
const typeTsig = 250;

/** NOERROR or NXDOMAIN from an upstream server, checked, as it may be given to clients and kept. */
export interface UpstreamAnswer {
  readonly kind: "answer";
  /**
   * Header, question and records as they came, up to the first one that is not passed on: OPT, a
   * transaction signature, what is behind them (additional records, which nobody is promised) and what
   * lies behind the last record. Every name in it has been checked.
   */
  readonly message: Uint8Array;
  readonly rcode: number;
  /** AD: the server vouches for it (RFC 4035 §3.2.3). */
  readonly authentic: boolean;
  /** TC: it has no records, for the server's answer did not fit and could not be had over TCP. */
  readonly truncated: boolean;
  /** Its answers have a record of the type that was asked for, and not only aliases on the way to where none is. */
  readonly hasWantedType: boolean;
  /** How many records each section has. */
  readonly counts: readonly [answers: number, authorities: number, additionals: number];
  /** Where each record's TTL is, in order; two bytes of length and the data are behind it. */
  readonly ttlOffsets: readonly number[];
  /** How long it may be kept, s: its smallest TTL; 0 for what must not be kept. */
  readonly lifeSeconds: number;
}

/**
 * What a message that came for a question is: an answer; a refusal, with its code; "truncated", to be
 * asked for over TCP; "stray", which answers something else and may be forged; "broken".
 */
export type UpstreamReply =
  | UpstreamAnswer
  | { readonly kind: "refusal"; readonly rcode: number }
  | { readonly kind: "truncated"; readonly answer: UpstreamAnswer }
  | { readonly kind: "stray" }
  | { readonly kind: "broken" };

const stray: UpstreamReply = { kind: "stray" };
const broken: UpstreamReply = { kind: "broken" };

/**
 * Reads a message that came back for `asked` with `id`. It has to repeat both (RFC 5452 §9.1); only a
 * refusal may leave the question out, as old servers do that know no EDNS. Never throws.
 */
export function readUpstreamReply(message: Uint8Array, asked: AskedQuestion, id: number): UpstreamReply {
  if (message.length < headerBytes || readUint16(message, 0) !== id) return stray;
  const flags = readUint16(message, 2);
  if ((flags & flag.QR) === 0 || (flags & flag.OPCODE) !== 0) return stray;
  const code = flags & 0xf;
  const final = code === rcodes.NOERROR || code === rcodes.NXDOMAIN;
  const questions = readUint16(message, 4);
  if (questions === 0 && !final) return { kind: "refusal", rcode: code };
  if (questions !== 1 || !hasQuestion(message, headerBytes, asked.bytes)) return stray;
  if (!final) return { kind: "refusal", rcode: code };
  if ((flags & flag.TC) !== 0) return { kind: "truncated", answer: bareAnswer(message, asked, flags) };
  return readRecords(message, asked, flags);
}

function bareAnswer(message: Uint8Array, asked: AskedQuestion, flags: number): UpstreamAnswer {
  return {
    kind: "answer",
    message: new Uint8Array(message.subarray(0, headerBytes + asked.bytes.length)),
    rcode: flags & 0xf,
    authentic: false,
    truncated: true,
    hasWantedType: false,
    counts: [0, 0, 0],
    ttlOffsets: [],
    lifeSeconds: 0,
  };
}

/** What is found on the way through the records. */
interface Walk {
  readonly counts: [answers: number, authorities: number, additionals: number];
  readonly ttlOffsets: number[];
  /** Behind the last record that is passed on. */
  end: number;
  /** A record that is not passed on has come, and nothing behind it is. */
  cut: boolean;
  optSeen: boolean;
  /** The upper bits of the code, from OPT (RFC 6891 §6.1.3). */
  extendedRcode: number;
  smallestTtl: number;
  hasWantedType: boolean;
  hasSoa: boolean;
}

function readRecords(message: Uint8Array, asked: AskedQuestion, flags: number): UpstreamReply {
  const start = headerBytes + asked.bytes.length;
  const names = new NameChecker(message);
  const walk: Walk = {
    counts: [0, 0, 0],
    ttlOffsets: [],
    end: start,
    cut: false,
    optSeen: false,
    extendedRcode: 0,
    smallestTtl: largestTtl,
    hasWantedType: false,
    hasSoa: false,
  };
  if (names.end(headerBytes) === undefined) return broken; // also notes the name that most records point at
  let at: number | undefined = start;
  for (const section of [0, 1, 2] as const) {
    for (let left = readUint16(message, 6 + 2 * section); left > 0; left--) {
      at = readRecord(message, at, section, asked, names, walk);
      if (at === undefined) return broken;
    }
  }
  const code = walk.extendedRcode | (flags & 0xf);
  if (code > 0xf) return { kind: "refusal", rcode: rcodes.SERVFAIL }; // e.g. BADVERS: about our EDNS, not the client's
  return toAnswer(message, flags, walk);
}

/** Notes the record at `start`, and gives the offset behind it; undefined when it is broken. */
function readRecord(
  message: Uint8Array,
  start: number,
  section: 0 | 1 | 2,
  asked: AskedQuestion,
  names: NameChecker,
  walk: Walk,
): number | undefined {
  const fixed = names.end(start);
  if (fixed === undefined || fixed + fixedBytes > message.length) return undefined;
  const type = readUint16(message, fixed);
  const data = fixed + fixedBytes;
  const end = data + readUint16(message, fixed + 8);
  if (end > message.length) return undefined;
  if (type === recordType.OPT) {
    if (section !== 2 || walk.optSeen) return undefined; // RFC 6891 §6.1.1
    walk.optSeen = true;
    walk.extendedRcode = (message[fixed + 4] ?? 0) << 4;
  }
  if (type === recordType.OPT || type === typeTsig) walk.cut = true;
  if (walk.cut) return end;
  const sameClass = readUint16(message, fixed + 2) === readUint16(asked.bytes, asked.bytes.length - 2);
  if (!sameClass || !rdataHolds(message, type, data, end, names)) return undefined;
  walk.counts[section]++;
  walk.ttlOffsets.push(fixed + 4);
  walk.end = end;
  noteTtl(message, fixed + 4, type, section, end, walk);
  if (section === 0 && (type === asked.type || asked.type === recordType.ANY)) walk.hasWantedType = true;
  return end;
}

function noteTtl(
  message: Uint8Array,
  offset: number,
  type: number,
  section: number,
  end: number,
  walk: Walk,
): void {
  let ttl = readTtl(message, offset);
  if (section === 1 && type === recordType.SOA) {
    walk.hasSoa = true;
    // What is not there may be remembered for the SOA's last number, its MINIMUM (RFC 2308 §5).
    ttl = Math.min(ttl, readTtl(message, end - 4));
  }
  walk.smallestTtl = Math.min(walk.smallestTtl, ttl);
}

/** The TTL at `offset`, s; 0 for one that is out of range. */
export function readTtl(message: Uint8Array, offset: number): number {
  const ttl = readUint16(message, offset) * 65_536 + readUint16(message, offset + 2);
  return ttl > largestTtl ? 0 : ttl;
}

function toAnswer(message: Uint8Array, flags: number, walk: Walk): UpstreamAnswer {
  const rcode = flags & 0xf;
  // That something is not there may be kept only with an SOA, which says for how long (RFC 2308 §5).
  const keepable = walk.hasSoa || (rcode === rcodes.NOERROR && walk.hasWantedType);
  return {
    kind: "answer",
    message: new Uint8Array(message.subarray(0, walk.end)), // not the 64 KiB that it was received into
    rcode,
    authentic: (flags & flag.AD) !== 0,
    truncated: false,
    hasWantedType: walk.hasWantedType,
    counts: walk.counts,
    ttlOffsets: walk.ttlOffsets,
    lifeSeconds: keepable ? walk.smallestTtl : 0,
  };
}

/**
 * True when the answer has what was asked for; false when it says that there is nothing, of this name or
 * where its alias leads (RFC 2308 §2.1, §2.2).
 */
export function isPositive({ rcode, hasWantedType }: UpstreamAnswer): boolean {
  return rcode === rcodes.NOERROR && hasWantedType;
}
