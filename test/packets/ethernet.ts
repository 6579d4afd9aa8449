import {
  addressToBytes,
  type MacAddress,
  macFromBytes,
  macToBytes,
  parseAddress,
} from "../../src/core/index.ts";

/** Everybody on the link. */
export const broadcastMac = macFromBytes(Buffer.alloc(6, 0xff));

/** From and to which interfaces a frame goes on its link. */
export interface Hop {
  readonly from: MacAddress;
  readonly to: MacAddress;
  /** An 802.1Q tag. */
  readonly vlan?: number;
}

/** An Ethernet frame around an IPv4 or IPv6 packet. */
export function frame(hop: Hop, packet: Buffer): Buffer {
  return ethernet(hop, packet.readUInt8(0) >> 4 === 4 ? 0x0800 : 0x86dd, packet);
}

/** ETH_P_ARP */
const etherTypeArp = 0x0806;

/** What an ARP packet says (RFC 826): `sender` is at the frame's source, and asks or tells `target`. */
export interface Arp {
  readonly operation: "request" | "reply";
  readonly sender: string;
  readonly target: string;
}

/** An ARP packet in its frame. A gratuitous one has its sender as its target. */
export function arp(hop: Hop, { operation, sender, target }: Arp): Buffer {
  const ofTarget = operation === "request" ? Buffer.alloc(6) : macToBytes(hop.to);
  return ethernet(
    hop,
    etherTypeArp,
    Buffer.concat([
      Buffer.from([0, 1, 8, 0, 6, 4, 0, operation === "request" ? 1 : 2]), // Ethernet, IPv4, sizes
      macToBytes(hop.from),
      addressToBytes(parseAddress(sender)),
      ofTarget,
      addressToBytes(parseAddress(target)),
    ]),
  );
}

/** The address that an ARP reply tells the place of; undefined for any other frame. */
export function answeredByArp(received: Buffer): string | undefined {
  if (received.length < 42 || received.readUInt16BE(12) !== etherTypeArp) return undefined;
  return received.readUInt16BE(20) === 2 ? [...received.subarray(28, 32)].join(".") : undefined;
}

function ethernet({ from, to, vlan }: Hop, type: number, payload: Uint8Array): Buffer {
  const tag = vlan === undefined ? [] : [0x81, 0x00, vlan >> 8, vlan & 0xff];
  return Buffer.concat([
    macToBytes(to),
    macToBytes(from),
    Buffer.from([...tag, type >> 8, type & 0xff]),
    payload,
  ]);
}
