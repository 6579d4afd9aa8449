import {
  classIn,
  flag,
  headerBytes,
  largestTcpBytes,
  largestUdpBytes,
  ourUdpBytes,
  plainUdpBytes,
  recordType,
  type Transport,
} from "./protocol.ts";
import type { AskingQuery, Query } from "./query.ts";
import { type Answer, ttlSeconds } from "./resolver.ts";

/** Bytes of an OPT record without options. */
export const optBytes = 11;
/** Bytes of a record besides its data: a pointer for the name, type, class, TTL, length. */
const recordOverhead = 12;
/** A compression pointer to the question's name, so that the owner is spelled as it was asked (RFC 1035 §4.1.4). */
const pointerToQuestion = 0xc000 | headerBytes;

/** The most bytes that an answer to `query` may have over `transport`. */
export function answerLimit(query: Query, transport: Transport): number {
  if (transport === "tcp") return largestTcpBytes;
  const offered = query.edns?.udpBytes ?? plainUdpBytes;
  return Math.min(Math.max(offered, plainUdpBytes), largestUdpBytes);
}

/**
 * The response to `query` with the records of `answer` that fit into `limit` bytes (512 or more); TC
 * is set when some do not, and the client asks again over TCP.
 */
export function encodeAnswer(query: AskingQuery, answer: Answer, limit: number): Buffer {
  const { records } = answer;
  const bare = headerBytes + query.question.bytes.length + (query.edns === undefined ? 0 : optBytes);
  let length = bare;
  let count = 0;
  for (const record of records) {
    if (length + recordOverhead + record.length > limit) break;
    length += recordOverhead + record.length;
    count++;
  }
  const message = Buffer.allocUnsafe(length);
  const extra = (answer.authoritative ? flag.AA : 0) | (count < records.length ? flag.TC : 0);
  let at = writeStart(message, query, answer.rcode, extra, count);
  for (let i = 0; i < count; i++) at = writeRecord(message, at, query.question.type, records[i]);
  writeOpt(message, at, query, answer.rcode);
  return message;
}

/** The response to a query that is refused with `rcode`; it has the question only if that was read. */
export function encodeRefusal(query: Query, rcode: number): Buffer {
  const length =
    headerBytes + (query.question?.bytes.length ?? 0) + (query.edns === undefined ? 0 : optBytes);
  const message = Buffer.allocUnsafe(length);
  writeOpt(message, writeStart(message, query, rcode, 0, 0), query, rcode);
  return message;
}

/** Writes header and question, and gives the offset behind them. */
function writeStart(message: Buffer, query: Query, rcode: number, extra: number, answers: number): number {
  const repeated = query.flags & (flag.OPCODE | flag.RD | flag.CD);
  message.writeUInt16BE(query.id, 0);
  message.writeUInt16BE(flag.QR | flag.RA | repeated | extra | (rcode & 0xf), 2);
  message.writeUInt16BE(query.question === undefined ? 0 : 1, 4);
  message.writeUInt16BE(answers, 6);
  message.writeUInt16BE(0, 8);
  message.writeUInt16BE(query.edns === undefined ? 0 : 1, 10);
  if (query.question === undefined) return headerBytes;
  message.set(query.question.bytes, headerBytes);
  return headerBytes + query.question.bytes.length;
}

function writeRecord(message: Buffer, start: number, type: number, data: Uint8Array | undefined): number {
  if (data === undefined) return start; // never: only as many records are written as there are
  message.writeUInt16BE(pointerToQuestion, start);
  message.writeUInt16BE(type, start + 2);
  message.writeUInt16BE(classIn, start + 4);
  message.writeUInt32BE(ttlSeconds, start + 6);
  message.writeUInt16BE(data.length, start + 10);
  message.set(data, start + recordOverhead);
  return start + recordOverhead + data.length;
}

/** Writes the OPT record if the query had one: our size, its DO bit, no options (RFC 6891 §6.1.2, RFC 3225 §3). */
export function writeOpt(message: Buffer, start: number, query: Query, rcode: number): void {
  if (query.edns === undefined) return;
  message.writeUInt8(0, start);
  message.writeUInt16BE(recordType.OPT, start + 1);
  message.writeUInt16BE(ourUdpBytes, start + 3);
  message.writeUInt8(rcode >> 4, start + 5);
  message.writeUInt8(0, start + 6);
  message.writeUInt16BE(query.edns.dnssecOk ? 0x8000 : 0, start + 7);
  message.writeUInt16BE(0, start + 9);
}
