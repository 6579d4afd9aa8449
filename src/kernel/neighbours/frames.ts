import { addressToBytes, type IpAddress, isIpv4, type MacAddress, macToBytes } from "../../core/index.ts";

/** Of include/uapi/linux/if_ether.h. */
export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;
/** Types of ICMPv6 messages (RFC 4861 §4.3, §4.4). */
export const neighbourSolicitationType = 135;
export const neighbourAdvertisementType = 136;
/** IPPROTO_ICMPV6. */
export const icmpv6 = 58;
/** Neighbour discovery counts only with this hop limit: no router has passed it on (RFC 4861 §7.1). */
export const onLinkHopLimit = 255;

const ethernetBroadcast = Buffer.alloc(6, 0xff);
const allNodes = Buffer.from("ff020000000000000000000000000001", "hex");
const anyIpv4 = Buffer.alloc(4);
const anyIpv6 = Buffer.alloc(16);

/** Where all nodes of a link hear IPv6 multicast to ff02::1, to which answers to a probe go (RFC 2464 §7). */
export const allNodesMac: Uint8Array = multicastMac(allNodes);

/** The Ethernet frame that tells everybody on the link who has the address. */
export function announcementFrame(mac: MacAddress, address: IpAddress): Buffer {
  const sender = macToBytes(mac);
  const ip = addressToBytes(address);
  return isIpv4(address) ? arpRequest(sender, ip, ip) : unsolicitedAdvertisement(sender, ip);
}

/**
 * The Ethernet frame that asks whoever has the address to say so, and says nothing of the sender but `mac`: an
 * ARP probe (RFC 5227 §1.1), or a neighbour solicitation as duplicate address detection sends it (RFC 4862 §5.4.2).
 */
export function probeFrame(mac: MacAddress, address: IpAddress): Buffer {
  const sender = macToBytes(mac);
  const ip = addressToBytes(address);
  return isIpv4(address) ? arpRequest(sender, anyIpv4, ip) : solicitation(sender, ip);
}

/** The Ethernet address on which the holder of an IPv6 address hears solicitations for it (RFC 4291 §2.7.1). */
export function solicitedNodeMac(address: IpAddress): Uint8Array {
  return multicastMac(solicitedNode(addressToBytes(address)));
}

/** RFC 826: Ethernet, IPv4, sizes, request. An announcement asks for the sender's own address (RFC 5227 §2.3). */
function arpRequest(mac: Uint8Array, sender: Uint8Array, target: Uint8Array): Buffer {
  const fixed = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  return Buffer.concat([
    ethernetBroadcast,
    mac,
    etherType(ETH_P_ARP),
    fixed,
    mac,
    sender,
    Buffer.alloc(6),
    target,
  ]);
}

/** To all nodes, with the override flag (RFC 4861 §4.4, §7.2.6). */
function unsolicitedAdvertisement(mac: Uint8Array, address: Uint8Array): Buffer {
  const override = 0x20;
  const option = Buffer.from([2, 1, ...mac]); // target link-layer address, in units of 8 bytes
  const message = [Buffer.from([neighbourAdvertisementType, 0, 0, 0, override, 0, 0, 0]), address, option];
  return icmpv6Frame(mac, address, allNodes, Buffer.concat(message));
}

/** From nobody, so without a source link-layer address (RFC 4861 §4.3). */
function solicitation(mac: Uint8Array, target: Uint8Array): Buffer {
  const message = Buffer.concat([Buffer.from([neighbourSolicitationType, 0, 0, 0, 0, 0, 0, 0]), target]);
  return icmpv6Frame(mac, anyIpv6, solicitedNode(target), message);
}

function icmpv6Frame(mac: Uint8Array, source: Uint8Array, destination: Uint8Array, message: Buffer): Buffer {
  message.writeUInt16BE(icmpv6Checksum(source, destination, message), 2);
  const header = Buffer.alloc(8);
  header[0] = 0x60; // version 6
  header.writeUInt16BE(message.length, 4);
  header[6] = icmpv6;
  header[7] = onLinkHopLimit;
  return Buffer.concat([
    multicastMac(destination),
    mac,
    etherType(ETH_P_IPV6),
    header,
    source,
    destination,
    message,
  ]);
}

/** ff02::1:ff00:0/104 with the last three bytes of the address (RFC 4291 §2.7.1). */
function solicitedNode(address: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from("ff0200000000000000000001ff", "hex"), address.subarray(13)]);
}

/** 33:33 and the last four bytes of the group (RFC 2464 §7). */
function multicastMac(group: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x33, 0x33]), group.subarray(12)]);
}

function etherType(type: number): Buffer {
  return Buffer.from([type >> 8, type & 0xff]);
}

/** RFC 4443 §2.3: the Internet checksum over the pseudo-header of RFC 8200 §8.1 and the message. Zero for one that is right. */
export function icmpv6Checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  const lengthAndNext = Buffer.from([0, 0, message.length >> 8, message.length & 0xff, 0, 0, 0, icmpv6]);
  const all = Buffer.concat([source, destination, lengthAndNext, message, Buffer.alloc(message.length % 2)]);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
