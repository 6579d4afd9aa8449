import * as sys from "../../src/kernel/syscalls.ts";
import type { TestNetns } from "../netns-fixture.ts";

/** include/uapi/linux/if_packet.h. */
const AF_PACKET = 17;
const etherTypeIpv6 = 0x86dd;
const allNodes = Buffer.from("ff020000000000000000000000000001", "hex");
const allNodesMac = Buffer.from("333300000001", "hex");

/** Sends a router advertisement out of a link of `netns`: whoever hears it may send everything this way for 30 minutes. */
export function advertiseRouter(netns: TestNetns, link: string): void {
  const [interfaceOf] = JSON.parse(
    netns.exec("ip", "-json", "-6", "address", "show", "dev", link),
  ) as readonly {
    readonly ifindex: number;
    readonly addr_info: readonly { readonly local: string; readonly scope: string }[];
  }[]; // ip's format
  const source = interfaceOf?.addr_info.find(({ scope }) => scope === "link")?.local;
  if (interfaceOf === undefined || source === undefined)
    throw new Error(`${link} has no link-local address yet`);
  const frame = advertisement(bytesOf(source));
  const fd = netns.run(() => sys.socket(AF_PACKET, sys.SOCK_RAW, 0));
  try {
    const address = Buffer.alloc(20); // struct sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeInt32LE(interfaceOf.ifindex, 4);
    sys.bind(fd, address, link);
    sys.send(fd, frame, "send", "router advertisement");
  } finally {
    sys.close(fd);
  }
}

/** The 16 bytes of a link-local address that has one `::`. */
function bytesOf(address: string): Buffer {
  const [head = [], tail = []] = address
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const groups = [...head, ...new Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** RFC 4861 §4.2, without options. */
function advertisement(source: Buffer): Buffer {
  const message = Buffer.from([134, 0, 0, 0, 64, 0, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]);
  message.writeUInt16BE(checksum(source, message), 2);
  const header = Buffer.alloc(8);
  header[0] = 0x60; // version 6
  header.writeUInt16BE(message.length, 4);
  header[6] = 58; // ICMPv6
  header[7] = 255; // hop limit: it came from this link
  const sourceMac = Buffer.from("020000000001", "hex");
  const ethernet = Buffer.concat([
    allNodesMac,
    sourceMac,
    Buffer.from([etherTypeIpv6 >> 8, etherTypeIpv6 & 0xff]),
  ]);
  return Buffer.concat([ethernet, header, source, allNodes, message]);
}

/** RFC 4443 §2.3. */
function checksum(source: Buffer, message: Buffer): number {
  const pseudoHeader = Buffer.concat([source, allNodes, Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58])]);
  const all = Buffer.concat([pseudoHeader, message]);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
