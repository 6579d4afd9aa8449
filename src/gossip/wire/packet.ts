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

const crcBytes = 5;

/** How many bytes of a packet are left for messages, of `budget` (gossip.md B.6: the CRC is not counted). */
export function packetRoom(
  { label, keyring, verifyOutgoing, sealVersion }: Envelope,
  budget: number,
): number {
  const seal = keyring !== undefined && verifyOutgoing ? sealOverhead(sealVersion) : 0;
  return budget - labelOverhead(label) - seal;
}

/** A packet as it goes over the wire: the layers of gossip.md B.1, from the innermost. */
export function wrapPacket(envelope: Envelope, message: Uint8Array, withCrc: boolean): Buffer {
  const { label, keyring, verifyOutgoing, sealVersion } = envelope;
  let payload = message;
  if (envelope.compress) {
    const packed = compress(message);
    if (packed.length < message.length) payload = packed;
  }
  if (withCrc) {
    const checked = Buffer.allocUnsafe(crcBytes + payload.length);
    checked[0] = messageType.hasCrc;
    checked.writeUInt32BE(crc32(payload), 1);
    checked.set(payload, crcBytes);
    payload = checked;
  }
  const header = labelHeader(label);
  if (keyring !== undefined && verifyOutgoing) return keyring.seal(payload, label, sealVersion, header);
  if (header.length > 0) return Buffer.concat([header, payload]);
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
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
