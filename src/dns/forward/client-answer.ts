import { flag, headerBytes } from "../protocol.ts";
import type { AskingQuery } from "../query.ts";
import { optBytes, writeOpt } from "../response.ts";
import { readTtl, type UpstreamAnswer } from "./upstream-answer.ts";

/** How much of an answer goes into a response. */
interface Part {
  readonly end: number;
  readonly counts: UpstreamAnswer["counts"];
  readonly truncated: boolean;
}

/**
 * The response to `query` with an upstream server's answer that is `ageSeconds` old, in at most `limit`
 * bytes (512 or more). What an answer can do without goes first: additional records, then the authority
 * section of one that has answers (RFC 2181 §9). TC says that answers are missing.
 *
 * Id, the question's letters, RD, CD and EDNS are the client's, the code and the records the server's.
 * AA is never set, for the answer is second hand; AD only for a client that asked for it by AD or DO
 * (RFC 6840 §5.8).
 */
export function encodeClientAnswer(
  query: AskingQuery,
  answer: UpstreamAnswer,
  ageSeconds: number,
  limit: number,
): Buffer {
  const opt = query.edns === undefined ? 0 : optBytes;
  const part = partThatFits(answer, limit - opt);
  const message = Buffer.allocUnsafe(part.end + opt);
  message.set(answer.message.subarray(0, part.end));
  message.writeUInt16BE(query.id, 0);
  message.writeUInt16BE(responseFlags(query, answer, part.truncated), 2);
  message.writeUInt16BE(1, 4);
  message.writeUInt16BE(part.counts[0], 6);
  message.writeUInt16BE(part.counts[1], 8);
  message.writeUInt16BE(part.counts[2] + (opt === 0 ? 0 : 1), 10);
  message.set(query.question.bytes, headerBytes); // the same length, for it is the same name
  for (const offset of answer.ttlOffsets) {
    if (offset >= part.end) break;
    message.writeUInt32BE(Math.max(0, readTtl(answer.message, offset) - ageSeconds), offset);
  }
  writeOpt(message, part.end, query, 0);
  return message;
}

function responseFlags({ flags, edns }: AskingQuery, answer: UpstreamAnswer, truncated: boolean): number {
  const wantsAd = (flags & flag.AD) !== 0 || edns?.dnssecOk === true;
  const authentic = answer.authentic && wantsAd ? flag.AD : 0;
  const cut = truncated ? flag.TC : 0;
  return flag.QR | flag.RA | (flags & (flag.RD | flag.CD)) | authentic | cut | answer.rcode;
}

function partThatFits(answer: UpstreamAnswer, room: number): Part {
  const { message, counts, truncated } = answer;
  if (message.length <= room) return { end: message.length, counts, truncated };
  const [answers, authorities] = counts;
  const withoutAdditional = endOfRecords(answer, answers + authorities);
  if (withoutAdditional <= room) {
    return { end: withoutAdditional, counts: [answers, authorities, 0], truncated };
  }
  for (let fitting = answers; fitting >= 0; fitting--) {
    const end = endOfRecords(answer, fitting);
    if (end > room) continue;
    // Without answers the authority section is the answer, and it did not fit.
    return { end, counts: [fitting, 0, 0], truncated: truncated || fitting < answers || answers === 0 };
  }
  return { end: endOfRecords(answer, 0), counts: [0, 0, 0], truncated: true }; // never: a question fits into 512 bytes
}

/** The offset behind the first `count` records. */
function endOfRecords({ message, ttlOffsets }: UpstreamAnswer, count: number): number {
  if (count === 0) return startOfRecords(message);
  const ttl = ttlOffsets[count - 1] ?? 0;
  return ttl + 6 + (((message[ttl + 4] ?? 0) << 8) | (message[ttl + 5] ?? 0));
}

function startOfRecords(message: Uint8Array): number {
  let at = headerBytes;
  while (message[at] !== 0) at += (message[at] ?? 0) + 1;
  return at + 5;
}
