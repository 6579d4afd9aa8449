import { flag, headerBytes, ourUdpBytes, recordType } from "../protocol.ts";
import { optBytes } from "../response.ts";
import type { AskedQuestion } from "./asked-question.ts";

/**
 * The query that an upstream server gets. With `edns` it offers our UDP size and passes on DO; some old
 * servers refuse that. AD is set, for we understand it in the answer (RFC 6840 §5.7).
 */
export function encodeUpstreamQuery(asked: AskedQuestion, id: number, edns: boolean): Buffer {
  const message = Buffer.alloc(headerBytes + asked.bytes.length + (edns ? optBytes : 0));
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(asked.flags | flag.AD, 2);
  message.writeUInt16BE(1, 4);
  message.set(asked.bytes, headerBytes);
  if (!edns) return message;
  const opt = headerBytes + asked.bytes.length;
  message.writeUInt16BE(1, 10);
  message.writeUInt16BE(recordType.OPT, opt + 1);
  message.writeUInt16BE(ourUdpBytes, opt + 3);
  message.writeUInt16BE(asked.dnssecOk ? 0x8000 : 0, opt + 7);
  return message;
}
