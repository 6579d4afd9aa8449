import { MalformedMessage } from "./malformed.ts";
import { messageType } from "./message-type.ts";

/** Bytes that a compound adds once, and for each of its messages. */
export const compoundHeaderOverhead = 2;
export const compoundOverhead = 2;
/** The most messages in one. */
export const maxCompoundParts = 255;

/**
 * Several messages, at most {@link maxCompoundParts} and each under 64 KiB, as one (gossip.md B.2), behind `headroom`
 * bytes that are left free.
 */
export function encodeCompound(messages: readonly Uint8Array[], headroom = 0): Buffer {
  let length = headroom + compoundHeaderOverhead;
  for (const message of messages) length += compoundOverhead + message.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes[headroom] = messageType.compound;
  bytes[headroom + 1] = messages.length;
  let lengthAt = headroom + compoundHeaderOverhead;
  let at = lengthAt + compoundOverhead * messages.length;
  for (const message of messages) {
    bytes[lengthAt++] = message.length >> 8;
    bytes[lengthAt++] = message.length & 0xff;
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

/**
 * Calls `take` with where each message of a compound begins and ends in `bytes`; the compound reaches from `start`,
 * behind its type byte, to `end`. Answers how many were cut off, which are left out. Throws {@link MalformedMessage}
 * when not even the lengths are whole.
 */
export function decodeCompound(
  bytes: Buffer,
  start: number,
  end: number,
  take: (start: number, end: number) => void,
): number {
  const count = bytes[start];
  if (count === undefined || start >= end) throw new MalformedMessage("gossip compound is empty");
  let at = start + 1 + count * compoundOverhead;
  if (at > end) throw new MalformedMessage(`gossip compound of ${count} messages has ${end - start} bytes`);
  for (let i = 0; i < count; i++) {
    const next = at + bytes.readUInt16BE(start + 1 + i * compoundOverhead);
    if (next > end) return count - i;
    take(at, next);
    at = next;
  }
  return 0;
}
