/** Resource record types that the code speaks of (RFC 1035 §3.2.2, RFC 2782, RFC 3596, RFC 6891). */
export const recordType = { A: 1, SOA: 6, PTR: 12, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const;

/** The Internet class, the only one that is served (RFC 1035 §3.2.4). */
export const classIn = 1;

/** Response codes (RFC 1035 §4.1.1); BADVERS takes the extended bits of OPT (RFC 6891 §9). */
export const rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** One of the values of {@link rcode}. */
export type Rcode = (typeof rcode)[keyof typeof rcode];

/** Bits and fields of the header's second 16-bit word (RFC 1035 §4.1.1, RFC 4035 §3.2 for AD and CD). */
export const flag = {
  QR: 0x8000,
  OPCODE: 0x7800,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

/** Bytes in a message's header (RFC 1035 §4.1.1). */
export const headerBytes = 12;

/** How a message came: the size of its answer and, later, how it is forwarded depend on it. */
export type Transport = "udp" | "tcp";

/**
 * The UDP payload size in bytes that our OPT records offer: what one unfragmented IPv6 packet holds.
 * It limits what we receive, not what we send; that is the client's own figure.
 */
export const ourUdpBytes = 1232;

/** Bytes of an answer over UDP to a client without EDNS (RFC 1035 §4.2.1). */
export const plainUdpBytes = 512;

/** The most that one UDP datagram over IPv4 carries, in bytes, whatever size the client offers. */
export const largestUdpBytes = 65_507;

/** The most that the two-byte length of a TCP message can say, in bytes (RFC 1035 §4.2.2). */
export const largestTcpBytes = 65_535;

/** The 16-bit number at `offset`, in network order; bytes past the end count as 0. */
export function readUint16(message: Uint8Array, offset: number): number {
  return ((message[offset] ?? 0) << 8) | (message[offset + 1] ?? 0);
}
