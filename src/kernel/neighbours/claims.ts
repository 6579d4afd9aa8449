import { addressFromBytes, type IpAddress, type MacAddress, macFromBytes } from "../../core/index.ts";
import {
  ETH_P_ARP,
  ETH_P_IPV6,
  icmpv6,
  icmpv6Checksum,
  neighbourAdvertisementType,
  neighbourSolicitationType,
  onLinkHopLimit,
} from "./frames.ts";

/** What a frame says of an address. */
export interface Claim {
  readonly address: IpAddress;
  /** `holds`: the sender has it. `probes`: the sender is about to take it, and asks whether it may. */
  readonly claim: "holds" | "probes";
  /** Whose address it is said to be. */
  readonly mac: MacAddress;
}

const ethernetHeader = 14;
const arpBytes = 28;
const ipv6Header = 40;
/** A solicitation or advertisement without options. */
const neighbourMessage = 24;
const sourceLinkAddress = 1;
const targetLinkAddress = 2;

/**
 * What a frame says of an address: an ARP packet of any sort (RFC 5227 §2.1.1), a neighbour advertisement, or a
 * solicitation from nobody (RFC 4862 §5.4.3, §5.4.4). Undefined for every other frame, and for one that breaks
 * the rules that a receiver has to check (RFC 826, RFC 4861 §7.1). Frames come from strangers: it never throws.
 */
export function readClaim(frame: Uint8Array): Claim | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (bytes.length < ethernetHeader) return undefined;
  const type = bytes.readUInt16BE(12);
  if (type === ETH_P_ARP) return arpClaim(bytes.subarray(ethernetHeader));
  if (type === ETH_P_IPV6) return neighbourClaim(bytes);
  return undefined;
}

function arpClaim(arp: Buffer): Claim | undefined {
  if (arp.length < arpBytes || arp.readUInt32BE(0) !== 0x0001_0800 || arp.readUInt16BE(4) !== 0x0604)
    return undefined;
  const operation = arp.readUInt16BE(6);
  const mac = unicast(arp.subarray(8, 14));
  if (mac === undefined || (operation !== 1 && operation !== 2)) return undefined;
  const sender = arp.subarray(14, 18);
  if (sender.some((byte) => byte !== 0)) return { address: addressFromBytes(sender), claim: "holds", mac };
  const target = arp.subarray(24, 28);
  return operation === 1 ? { address: addressFromBytes(target), claim: "probes", mac } : undefined;
}

function neighbourClaim(frame: Buffer): Claim | undefined {
  const packet = frame.subarray(ethernetHeader);
  if (packet.length < ipv6Header + neighbourMessage || packet.readUInt8(0) >> 4 !== 6) return undefined;
  const length = packet.readUInt16BE(4);
  const fits = length >= neighbourMessage && ipv6Header + length <= packet.length; // short frames are padded
  if (!fits || packet.readUInt8(6) !== icmpv6 || packet.readUInt8(7) !== onLinkHopLimit) return undefined;
  const message = packet.subarray(ipv6Header, ipv6Header + length);
  const [source, destination] = [packet.subarray(8, 24), packet.subarray(24, 40)];
  if (message.readUInt8(1) !== 0 || icmpv6Checksum(source, destination, message) !== 0) return undefined;
  const target = message.subarray(8, 24);
  if (target.readUInt8(0) === 0xff) return undefined; // multicast is nobody's
  const options = linkAddresses(message.subarray(neighbourMessage));
  const frameSource = unicast(frame.subarray(6, 12));
  if (options === undefined || frameSource === undefined) return undefined;
  const address = addressFromBytes(target);
  if (message.readUInt8(0) === neighbourAdvertisementType)
    return { address, claim: "holds", mac: options.get(targetLinkAddress) ?? frameSource };
  const fromNobody = source.every((byte) => byte === 0) && !options.has(sourceLinkAddress);
  if (message.readUInt8(0) !== neighbourSolicitationType || !fromNobody) return undefined;
  return { address, claim: "probes", mac: frameSource };
}

/** The options of a message that are Ethernet addresses, by type; undefined where one has no length (RFC 4861 §4.6). */
function linkAddresses(options: Buffer): ReadonlyMap<number, MacAddress> | undefined {
  const found = new Map<number, MacAddress>();
  for (let at = 0; at < options.length; ) {
    const length = 8 * (options[at + 1] ?? 0);
    if (length === 0 || at + length > options.length) return undefined;
    const mac = length === 8 ? unicast(options.subarray(at + 2, at + 8)) : undefined;
    if (mac !== undefined) found.set(options.readUInt8(at), mac);
    at += length;
  }
  return found;
}

/** Undefined for what can be no interface's own address. */
function unicast(mac: Buffer): MacAddress | undefined {
  const group = (mac.readUInt8(0) & 1) === 1;
  return group || mac.every((byte) => byte === 0) ? undefined : macFromBytes(mac);
}
