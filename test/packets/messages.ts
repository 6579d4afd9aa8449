import type { Family } from "../../src/core/index.ts";

/** What a packet carries; the packet fills its checksum in. */
export interface Message {
  readonly kind: "udp" | "tcp" | "icmp";
  /** IPPROTO_*. */
  readonly protocol: number;
  readonly bytes: Uint8Array;
  /** Where in the bytes the checksum stands. */
  readonly checksumAt: number;
}

/** A UDP datagram (RFC 768). */
export function udp(sourcePort: number, targetPort: number, text: string): Message {
  const data = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(targetPort, 2);
  header.writeUInt16BE(header.length + data.length, 4);
  return { kind: "udp", protocol: 17, bytes: Buffer.concat([header, data]), checksumAt: 6 };
}

/** Bits of a TCP header (RFC 9293 §3.1). */
const tcpFlags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** The name of a bit of a TCP header. */
export type TcpFlag = keyof typeof tcpFlags;

/** A TCP segment, whatever the state of any connection. */
export function tcp(
  sourcePort: number,
  targetPort: number,
  flags: readonly TcpFlag[],
  text: string,
  { sequence = 1000, acknowledges = 0 } = {},
): Message {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(targetPort, 2);
  header.writeUInt32BE(sequence, 4);
  header.writeUInt32BE(acknowledges, 8);
  header[12] = 5 << 4; // words of this header
  header[13] = flags.reduce((bits, flag) => bits | tcpFlags[flag], 0);
  header.writeUInt16BE(65_535, 14);
  return { kind: "tcp", protocol: 6, bytes: Buffer.concat([header, Buffer.from(text)]), checksumAt: 16 };
}

/** An ICMP message of either family (RFC 792, RFC 4443); `rest` is what follows its type, code and checksum. */
export function icmp(family: Family, type: number, code: number, rest: Uint8Array): Message {
  const bytes = Buffer.concat([Buffer.from([type, code, 0, 0]), rest]);
  return { kind: "icmp", protocol: family === 4 ? 1 : 58, bytes, checksumAt: 2 };
}

/** A ping. */
export function echoRequest(family: Family, text: string, id = 77): Message {
  const rest = Buffer.concat([Buffer.from([id >> 8, id & 0xff, 0, 1]), Buffer.from(text)]);
  return icmp(family, family === 4 ? 8 : 128, 0, rest);
}

/** Tells the sender of `packet` that nobody listens at its port; followed by what it quotes, and `text`. */
export function portUnreachable(family: Family, packet: Uint8Array, text = ""): Message {
  const rest = Buffer.concat([Buffer.alloc(4), packet, Buffer.from(text)]);
  return family === 4 ? icmp(4, 3, 3, rest) : icmp(6, 1, 4, rest);
}
