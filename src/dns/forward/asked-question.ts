import { flag, readUint16 } from "../protocol.ts";
import type { AskingQuery } from "../query.ts";

/** A question as upstream servers are asked it: queries that ask the same share one. */
export interface AskedQuestion {
  /** Equal for queries that one answer serves. */
  readonly key: string;
  /** Wire form of name, type and class, letters in lower case. */
  readonly bytes: Uint8Array;
  readonly type: number;
  /** The client's RD and CD bits, in their places in the header. */
  readonly flags: number;
  /** The client's DO bit (RFC 3225). */
  readonly dnssecOk: boolean;
}

/** Bytes of type and class, behind the name. */
const fixedBytes = 4;

/**
 * What `query` asks upstream: its question in lower case, RD, CD and DO. Nothing else of the query
 * goes there: no other EDNS options, so that one client's cookie or subnet does not colour an answer
 * that others share.
 */
export function askedQuestion({ question, flags, edns }: AskingQuery): AskedQuestion {
  const bytes = lowerCase(question.bytes);
  const passedOn = flags & (flag.RD | flag.CD);
  const dnssecOk = edns?.dnssecOk ?? false;
  const variant =
    (dnssecOk ? 1 : 0) + ((passedOn & flag.RD) === 0 ? 0 : 2) + ((passedOn & flag.CD) === 0 ? 0 : 4);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return { key: `${variant}${text}`, bytes, type: question.type, flags: passedOn, dnssecOk };
}

/** A copy with ASCII letters of the name in lower case; lengths of labels are below 64 and are no letters. */
function lowerCase(question: Uint8Array): Uint8Array {
  const copy = new Uint8Array(question);
  for (let i = 0; i < copy.length - fixedBytes; i++) {
    const byte = copy[i] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) copy[i] = byte | 0x20;
  }
  return copy;
}

/** True when `message` has the question `asked` at `offset`, in letters of either case (RFC 4343). */
export function hasQuestion(message: Uint8Array, offset: number, asked: Uint8Array): boolean {
  const nameBytes = asked.length - fixedBytes;
  if (offset + asked.length > message.length) return false;
  for (let i = 0; i < nameBytes; i++) {
    const byte = message[offset + i] ?? 0;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== asked[i]) return false;
  }
  return (
    readUint16(message, offset + nameBytes) === readUint16(asked, nameBytes) &&
    readUint16(message, offset + nameBytes + 2) === readUint16(asked, nameBytes + 2)
  );
}
