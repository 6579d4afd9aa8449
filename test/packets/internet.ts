import { addressToBytes, type IpAddress, isIpv4, parseAddress } from "../../src/core/index.ts";
import type { Message } from "./messages.ts";

/** From whom to whom a packet says it goes, whoever sends it. */
export interface Route {
  readonly source: string;
  readonly target: string;
  /** IPv4's time to live; 64 if not said. */
  readonly hopLimit?: number;
  /** IPv4's options (RFC 791 §3.1), a multiple of 4 bytes. */
  readonly options?: Uint8Array;
}

/** An IPv4 or IPv6 packet with its checksums. Throws INVALID_ADDRESS. */
export function packet(route: Route, message: Message): Buffer {
  const source = parseAddress(route.source);
  const target = parseAddress(route.target);
  const payload = checked(source, target, message);
  const make = isIpv4(source) ? ipv4Packet : ipv6Packet;
  return make(source, target, message.protocol, payload, route);
}

/** RFC 791 §3.1. */
function ipv4Packet(
  source: IpAddress,
  target: IpAddress,
  protocol: number,
  payload: Uint8Array,
  { hopLimit = 64, options = new Uint8Array() }: Route,
): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45 + options.length / 4;
  header.writeUInt16BE(header.length + options.length + payload.length, 2);
  header.writeUInt16BE(0x7e57, 4); // identification: fragments of one packet are told by it
  header[8] = hopLimit;
  header[9] = protocol;
  header.set(addressToBytes(source), 12);
  header.set(addressToBytes(target), 16);
  const whole = Buffer.concat([header, options]);
  whole.writeUInt16BE(internetChecksum(whole), 10);
  return Buffer.concat([whole, payload]);
}

/** RFC 8200 §3. */
function ipv6Packet(
  source: IpAddress,
  target: IpAddress,
  protocol: number,
  payload: Uint8Array,
  { hopLimit = 64 }: Route,
): Buffer {
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(payload.length, 4);
  header[6] = protocol;
  header[7] = hopLimit;
  header.set(addressToBytes(source), 8);
  header.set(addressToBytes(target), 24);
  return Buffer.concat([header, payload]);
}

/** The message with its checksum, which covers the addresses too, except in ICMP for IPv4 (RFC 8200 §8.1). */
function checked(source: IpAddress, target: IpAddress, message: Message): Buffer {
  const bytes = Buffer.from(message.bytes);
  const { length } = bytes;
  const pseudoHeader =
    message.kind === "icmp" && isIpv4(source)
      ? []
      : [
          addressToBytes(source),
          addressToBytes(target),
          Buffer.from([0, 0, length >> 8, length & 0xff, 0, 0, 0, message.protocol]),
        ];
  bytes.writeUInt16BE(internetChecksum(Buffer.concat([...pseudoHeader, bytes])), message.checksumAt);
  return bytes;
}

/** RFC 1071. */
function internetChecksum(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
  let sum = 0;
  for (let i = 0; i < even.length; i += 2) sum += even.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 loose source route (RFC 791 §3.1) by way of `via`, for {@link Route.options}. */
export function sourceRoute(via: string): Uint8Array {
  return Buffer.concat([Buffer.from([131, 7, 4]), addressToBytes(parseAddress(via)), Buffer.from([0])]);
}

/** Puts an IPv6 routing header of type 0 (RFC 2460 §4.4) by way of `via` into a packet. */
export function withRoutingHeader(packet: Buffer, via: string): Buffer {
  const header = Buffer.from(packet.subarray(0, 40));
  const extension = Buffer.concat([
    Buffer.from([header.readUInt8(6), 2, 0, 1, 0, 0, 0, 0]),
    addressToBytes(parseAddress(via)),
  ]);
  header[6] = 43;
  header.writeUInt16BE(packet.length - 40 + extension.length, 4);
  return Buffer.concat([header, extension, packet.subarray(40)]);
}

/** A packet in two fragments; the first has `bytes` of what follows its header, a multiple of 8. */
export function inTwo(packet: Buffer, bytes: number): readonly [Buffer, Buffer] {
  const fragment = packet.readUInt8(0) >> 4 === 4 ? ipv4Fragment : ipv6Fragment;
  return [fragment(packet, 0, bytes), fragment(packet, bytes)];
}

function ipv4Fragment(packet: Buffer, from: number, to?: number): Buffer {
  const header = Buffer.from(packet.subarray(0, 20));
  const part = packet.subarray(20 + from, to === undefined ? undefined : 20 + to);
  const moreFollow = to === undefined ? 0 : 0x2000;
  header.writeUInt16BE(20 + part.length, 2);
  header.writeUInt16BE(moreFollow | (from / 8), 6);
  header.writeUInt16BE(0, 10);
  header.writeUInt16BE(internetChecksum(header), 10);
  return Buffer.concat([header, part]);
}

/** RFC 8200 §4.5. */
function ipv6Fragment(packet: Buffer, from: number, to?: number): Buffer {
  const header = Buffer.from(packet.subarray(0, 40));
  const part = packet.subarray(40 + from, to === undefined ? undefined : 40 + to);
  const extension = Buffer.from([header.readUInt8(6), 0, 0, 0, 0, 0, 0x7e, 0x57]);
  extension.writeUInt16BE(from | (to === undefined ? 0 : 1), 2);
  header.writeUInt16BE(extension.length + part.length, 4);
  header[6] = 44;
  return Buffer.concat([header, extension, part]);
}
