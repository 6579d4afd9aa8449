import { addressToBytes, type IpAddress, isIpv4, type MacAddress, macToBytes } from "../../core/index.ts";
import type { AnnounceEffect } from "../effects.ts";
import * as sys from "../syscalls.ts";
import type { Session } from "./session.ts";

/** include/uapi/linux/if_packet.h and if_ether.h. */
const AF_PACKET = 17;
const ETH_P_ARP = 0x0806;
const ETH_P_IPV6 = 0x86dd;

/** Sends the announcement of each address from its link. Throws KernelError. */
export function announce(session: Session, { netns, link, mac, addresses }: AnnounceEffect): void {
  if (addresses.length === 0) return;
  const sender = mac ?? session.link(netns, link)?.mac;
  const index = session.index(netns, link);
  if (sender === undefined) return; // it has no neighbours
  // Protocol 0: the socket sends and receives nothing.
  const fd = session.within(netns, () => sys.socket(AF_PACKET, sys.SOCK_RAW, 0));
  try {
    sys.bind(fd, linkLayerAddress(index), `link ${link}`);
    for (const address of addresses)
      sys.send(fd, announcementFrame(sender, address), "send", `announcement of ${address}`);
  } finally {
    void sys.closeSlowly(fd); // nobody need wait for that
  }
}

/** struct sockaddr_ll for binding to a link. */
function linkLayerAddress(index: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeInt32LE(index, 4);
  return address;
}

/** The Ethernet frame that tells everybody on the link who has the address. */
function announcementFrame(mac: MacAddress, address: IpAddress): Buffer {
  return isIpv4(address)
    ? arpAnnouncement(macToBytes(mac), address)
    : neighbourAdvertisement(macToBytes(mac), address);
}

/** An ARP request by which the sender asks for its own address (RFC 5227 §2.3). */
function arpAnnouncement(mac: Uint8Array, address: IpAddress): Buffer {
  const ip = addressToBytes(address);
  const broadcast = Buffer.alloc(6, 0xff);
  const fixed = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]); // Ethernet, IPv4, sizes, request
  return Buffer.concat([broadcast, mac, etherType(ETH_P_ARP), fixed, mac, ip, Buffer.alloc(6), ip]);
}

/** An unsolicited neighbour advertisement to all nodes, with the override flag (RFC 4861 §4.4, §7.2.6). */
function neighbourAdvertisement(mac: Uint8Array, address: IpAddress): Buffer {
  const allNodes = Buffer.from("ff020000000000000000000000000001", "hex");
  const source = addressToBytes(address);
  const override = 0x20;
  const option = Buffer.from([2, 1, ...mac]); // target link-layer address, in units of 8 bytes
  const message = Buffer.concat([Buffer.from([136, 0, 0, 0, override, 0, 0, 0]), source, option]);
  message.writeUInt16BE(icmpv6Checksum(source, allNodes, message), 2);
  const header = Buffer.alloc(8);
  header[0] = 0x60; // version 6
  header.writeUInt16BE(message.length, 4);
  header[6] = 58; // ICMPv6
  header[7] = 255; // hop limit: it came from this link
  const multicastMac = Buffer.from("333300000001", "hex");
  return Buffer.concat([multicastMac, mac, etherType(ETH_P_IPV6), header, source, allNodes, message]);
}

function etherType(type: number): Buffer {
  return Buffer.from([type >> 8, type & 0xff]);
}

/** RFC 4443 §2.3: the Internet checksum over the pseudo-header of RFC 8200 §8.1 and the message. */
function icmpv6Checksum(source: Uint8Array, destination: Uint8Array, message: Uint8Array): number {
  const lengthAndNext = Buffer.from([0, 0, message.length >> 8, message.length & 0xff, 0, 0, 0, 58]);
  const all = Buffer.concat([source, destination, lengthAndNext, message]);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
