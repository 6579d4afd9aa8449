import { MalformedMessage } from "./malformed.ts";
import { messageType } from "./message-type.ts";

/** Bytes that a compound adds once, and for each of its messages. */
export const compoundHeaderOverhead = 2;
export const compoundOverhead = 2;
/** The most messages in one. */
export const maxCompoundParts = 255;

/** Several messages, at most {@link maxCompoundParts} and each under 64 KiB, as one (gossip.md B.2). */
export function encodeCompound(messages: readonly Uint8Array[]): Buffer {
  let length = compoundHeaderOverhead;
  for (const message of messages) length += compoundOverhead + message.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = messageType.compound;
  bytes[1] = messages.length;
  let lengthAt = compoundHeaderOverhead;
  let at = compoundHeaderOverhead + compoundOverhead * messages.length;
  for (const message of messages) {
    lengthAt = bytes.writeUInt16BE(message.length, lengthAt);
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}

/**
 * Calls `take` with each message of a compound, given without its type byte. Answers how many were cut off, which
 * are left out. Throws {@link MalformedMessage} when not even the lengths are whole.
 */
export function decodeCompound(bytes: Buffer, take: (message: Buffer) => void): number {
  const count = bytes[0];
  if (count === undefined) throw new MalformedMessage("gossip compound is empty");
  let at = 1 + count * compoundOverhead;
  if (bytes.length < at)
    throw new MalformedMessage(`gossip compound of ${count} messages has ${bytes.length} bytes`);
  for (let i = 0; i < count; i++) {
    const end = at + bytes.readUInt16BE(1 + i * compoundOverhead);
    if (end > bytes.length) return count - i;
    take(bytes.subarray(at, end));
    at = end;
  }
  return 0;
}
