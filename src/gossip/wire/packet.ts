import { crc32 } from "node:zlib";
import { compress } from "./compression.ts";
import { type Keyring, type SealVersion, sealOverhead } from "./keyring.ts";
import { type Label, labelHeader, labelOverhead, splitLabel } from "./label.ts";
import { messageType } from "./message-type.ts";

/** How a node wraps its packets and streams. */
export interface Envelope {
  readonly label: Label;
  /** Takes what carries no label as if it carried ours: something in front of the node strips it. */
  readonly skipInboundLabelCheck: boolean;
  readonly keyring: Keyring | undefined;
  /** Takes nothing that no key opens. False only while a cluster is on its way to encryption. */
  readonly verifyIncoming: boolean;
  /** Seals what is sent; likewise. */
  readonly verifyOutgoing: boolean;
  /** Compresses what is sent. What peers compressed is understood either way. */
  readonly compress: boolean;
  readonly sealVersion: SealVersion;
}

/** What a CRC adds in front of a packet's messages; {@link wrapPacket} wants so many bytes free there. */
export const crcBytes = 5;

/** How many bytes of a packet are left for messages, of `budget` (gossip.md B.6: the CRC is not counted). */
export function packetRoom(
  { label, keyring, verifyOutgoing, sealVersion }: Envelope,
  budget: number,
): number {
  const seal = keyring !== undefined && verifyOutgoing ? sealOverhead(sealVersion) : 0;
  return budget - labelOverhead(label) - seal;
}

/**
 * A packet as it goes over the wire: the layers of gossip.md B.1, from the innermost. The message in `body` begins
 * behind {@link crcBytes} free bytes; `body` belongs to the packet from now on.
 */
export function wrapPacket(envelope: Envelope, body: Buffer, withCrc: boolean): Buffer {
  const { label, keyring, verifyOutgoing, sealVersion } = envelope;
  const payload = withCrc ? checked(packed(envelope, body)) : packed(envelope, body).subarray(crcBytes);
  const header = labelHeader(label);
  if (keyring !== undefined && verifyOutgoing) return keyring.seal(payload, label, sealVersion, header);
  return header.length > 0 ? Buffer.concat([header, payload]) : payload;
}

/** The body compressed, when that makes it shorter. */
function packed(envelope: Envelope, body: Buffer): Buffer {
  if (!envelope.compress) return body;
  const short = compress(body.subarray(crcBytes), crcBytes);
  return short.length < body.length ? short : body;
}

/** Fills the free bytes in front. */
function checked(body: Buffer): Buffer {
  body[0] = messageType.hasCrc;
  body.writeUInt32BE(crc32(body.subarray(crcBytes)), 1);
  return body;
}

/** A single message with the free bytes in front that {@link wrapPacket} wants. */
export function bodyOf(message: Uint8Array): Buffer {
  const body = Buffer.allocUnsafe(crcBytes + message.length);
  body.set(message, crcBytes);
  return body;
}

/** Why a packet or a stream was dropped before its messages were looked at. */
export type EnvelopeRefusal = "label" | "undecryptable" | "crc" | "empty";

/** What a packet holds, or why it was refused. */
export type OpenedPacket =
  | { readonly message: Buffer; readonly refused?: undefined }
  | { readonly refused: EnvelopeRefusal };

/** Takes the layers of a packet off, down to its messages, which may be compressed. Never throws. */
export function openPacket(envelope: Envelope, packet: Buffer): OpenedPacket {
  const split = splitLabel(packet);
  if (split === undefined || !labelFits(envelope, split.label)) return { refused: "label" };
  const plain = opened(envelope, split.rest);
  if (plain === undefined) return { refused: "undecryptable" };
  if (plain.length === 0) return { refused: "empty" };
  if (plain[0] !== messageType.hasCrc || plain.length < crcBytes) return { message: plain };
  const message = plain.subarray(crcBytes);
  if (crc32(message) !== plain.readUInt32BE(1)) return { refused: "crc" };
  return message.length === 0 ? { refused: "empty" } : { message };
}

/** True when what carries `label` is for this cluster. */
export function labelFits({ label, skipInboundLabelCheck }: Envelope, found: Label): boolean {
  return skipInboundLabelCheck ? found.length === 0 : label.equals(found);
}

function opened({ keyring, label, verifyIncoming }: Envelope, sealed: Buffer): Buffer | undefined {
  if (keyring === undefined) return sealed;
  return keyring.open(sealed, label) ?? (verifyIncoming ? undefined : sealed);
}
