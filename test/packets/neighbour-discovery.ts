import {
  addressToBytes,
  type MacAddress,
  macFromBytes,
  macToBytes,
  parseAddress,
} from "../../src/core/index.ts";
import { icmp, type Message } from "./messages.ts";

/** Messages of neighbour discovery (RFC 4861 §4). They count only with hop limit 255. */
export const onLinkHopLimit = 255;
/** All nodes of a link, and the interfaces that listen to it. */
export const allNodes = {
  address: "ff02::1",
  mac: macFromBytes(Buffer.from("333300000001", "hex")),
} as const;

/** "`target` is at `mac`": unsolicited, and to be believed over what was known before (§4.4). */
export function neighbourAdvertisement(target: string, mac: MacAddress): Message {
  const override = 0x20;
  return icmp(
    6,
    136,
    0,
    Buffer.concat([Buffer.from([override, 0, 0, 0]), bytesOf(target), linkAddress(2, mac)]),
  );
}

/** "Where is `target`? I am at `mac`" (§4.3). */
export function neighbourSolicitation(target: string, mac: MacAddress): Message {
  return icmp(6, 135, 0, Buffer.concat([Buffer.alloc(4), bytesOf(target), linkAddress(1, mac)]));
}

/** What a router says of itself and its link. */
export interface Advertised {
  /** How long it is a default router; none in seconds. */
  readonly lifetimeSeconds: number;
  /** A /64 that everybody is to make an address of (§4.6.2). */
  readonly prefix?: string;
  /** A name server (RFC 8106 §5.1). */
  readonly nameServer?: string;
}

/** A router advertisement (§4.2). */
export function routerAdvertisement({ lifetimeSeconds, prefix, nameServer }: Advertised): Message {
  const head = Buffer.alloc(12);
  head[0] = 64; // hop limit
  head.writeUInt16BE(lifetimeSeconds, 2);
  const anHour = Buffer.from([0, 0, 0x0e, 0x10]);
  const options = [
    ...(prefix === undefined
      ? []
      : [Buffer.from([3, 4, 64, 0xc0]), anHour, anHour, Buffer.alloc(4), bytesOf(prefix)]),
    ...(nameServer === undefined ? [] : [Buffer.from([25, 3, 0, 0]), anHour, bytesOf(nameServer)]),
  ];
  return icmp(6, 134, 0, Buffer.concat([head, ...options]));
}

/** "For `destination`, `better` is the next hop", which is at `mac` (§4.5). */
export function redirect(destination: string, better: string, mac: MacAddress): Message {
  return icmp(
    6,
    137,
    0,
    Buffer.concat([Buffer.alloc(4), bytesOf(better), bytesOf(destination), linkAddress(2, mac)]),
  );
}

/** §4.6.1: type 1 is the sender's, 2 the target's. */
function linkAddress(type: 1 | 2, mac: MacAddress): Buffer {
  return Buffer.concat([Buffer.from([type, 1]), macToBytes(mac)]);
}

function bytesOf(address: string): Uint8Array {
  return addressToBytes(parseAddress(address));
}

/** Where solicitations for an address go (RFC 4291 §2.7.1), and who listens there. */
export function solicitedNode(address: string): { readonly address: string; readonly mac: MacAddress } {
  const [a = 0, b = 0, c = 0] = bytesOf(address).subarray(13);
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  return {
    address: `ff02::1:ff${hex(a)}:${hex(b)}${hex(c)}`,
    mac: macFromBytes(Buffer.from([0x33, 0x33, 0xff, a, b, c])),
  };
}
