import { readName, skipName } from "./name.ts";
import { classIn, flag, headerBytes, type Rcode, rcode, readUint16, recordType } from "./protocol.ts";

/** A question. `bytes` is its wire form as sent, letters of either case, type and class included. */
export interface Question {
  /** What the name is looked up by, see NameKey. */
  readonly name: string;
  /** The number of the record type asked for. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** What a query's OPT record says (RFC 6891 §6.1.2). */
export interface Edns {
  /** Bytes of UDP payload that the client takes, as it says. */
  readonly udpBytes: number;
  readonly dnssecOk: boolean;
}

/**
 * The parts of a query that its response repeats. `flags` is the header's second word. All members are
 * always there: with queries of one shape the resolver answers three times as many in a second.
 */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** Undefined when it could not be read. */
  readonly question: Question | undefined;
  readonly edns: Edns | undefined;
}

/** A query with a question that can be looked up. */
export interface AskingQuery extends Query {
  readonly question: Question;
}

/** What an incoming message is: one to leave unanswered, one to refuse, or one to answer. */
export type Incoming =
  | { readonly kind: "drop" }
  | { readonly kind: "refuse"; readonly query: Query; readonly rcode: Rcode }
  | { readonly kind: "ask"; readonly query: AskingQuery };

const drop: Incoming = { kind: "drop" };
/** Type, class, TTL and length of a record, behind its name. */
const recordFixedBytes = 10;

/**
 * Reads a message of a client. Never throws: what is broken is refused with FORMERR where its id can
 * be read and dropped where not; responses are dropped. Only the first question is used and kept;
 * opcodes other than QUERY get NOTIMP, classes other than IN REFUSED, and EDNS versions other than 0
 * BADVERS (RFC 6891 §6.1.3).
 */
export function parseQuery(message: Uint8Array): Incoming {
  if (message.length < 2) return drop;
  const id = readUint16(message, 0);
  const flags = readUint16(message, 2);
  if ((flags & flag.QR) !== 0) return drop;
  if (message.length < headerBytes) return refusal(id, flags, rcode.FORMERR);
  if ((flags & flag.OPCODE) !== 0) return refusal(id, flags, rcode.NOTIMP);
  const questions = readUint16(message, 4);
  const name = questions === 0 ? undefined : readName(message, headerBytes);
  if (name === undefined || name.end + 4 > message.length) return refusal(id, flags, rcode.FORMERR);
  const question: Question = {
    name: name.key,
    type: readUint16(message, name.end),
    bytes: message.subarray(headerBytes, name.end + 4),
  };
  const opt = hasOneQuestionOnly(message) ? "none" : findOpt(message, name.end + 4);
  if (opt === "broken") return refusal(id, flags, rcode.FORMERR);
  const query: AskingQuery = { id, flags, question, edns: opt === "none" ? undefined : opt.edns };
  if (opt !== "none" && opt.version !== 0) return { kind: "refuse", query, rcode: rcode.BADVERS };
  if (readUint16(message, name.end + 2) !== classIn) return { kind: "refuse", query, rcode: rcode.REFUSED };
  return { kind: "ask", query };
}

function refusal(id: number, flags: number, code: Rcode): Incoming {
  return { kind: "refuse", query: { id, flags, question: undefined, edns: undefined }, rcode: code };
}

/** True for the commonest query of all, in which there is nothing to walk through. */
function hasOneQuestionOnly(message: Uint8Array): boolean {
  const records = readUint16(message, 6) | readUint16(message, 8) | readUint16(message, 10);
  return readUint16(message, 4) === 1 && records === 0;
}

type Opt = { readonly version: number; readonly edns: Edns } | "none" | "broken";

/** The OPT record among the records that begin at `start`, behind the first question. */
function findOpt(message: Uint8Array, start: number): Opt {
  let at: number | undefined = start;
  for (let left = readUint16(message, 4) - 1; left > 0; left--) {
    at = skipName(message, at);
    if (at === undefined || at + 4 > message.length) return "broken";
    at += 4;
  }
  let found: Opt = "none";
  const beforeAdditional = readUint16(message, 6) + readUint16(message, 8);
  const total = beforeAdditional + readUint16(message, 10);
  for (let i = 0; i < total; i++) {
    const fixed = skipName(message, at);
    if (fixed === undefined || fixed + recordFixedBytes > message.length) return "broken";
    if (readUint16(message, fixed) === recordType.OPT) {
      // Only one, under the root's name and in the additional section (RFC 6891 §6.1.1).
      if (found !== "none" || i < beforeAdditional || fixed !== at + 1) return "broken";
      found = readOpt(message, fixed);
    }
    at = fixed + recordFixedBytes + readUint16(message, fixed + 8);
    if (at > message.length) return "broken";
  }
  return found;
}

function readOpt(message: Uint8Array, fixed: number): Opt {
  return {
    version: message[fixed + 5] ?? 0,
    edns: {
      udpBytes: readUint16(message, fixed + 2),
      dnssecOk: (readUint16(message, fixed + 6) & 0x8000) !== 0,
    },
  };
}
