import { addressToBytes, type Family, type IpAddress } from "../../core/index.ts";
import { bpf, encodeBpf } from "../classic-bpf.ts";
import { icmpv6, neighbourAdvertisementType, neighbourSolicitationType } from "./frames.ts";

/** Of include/uapi/linux/filter.h. What is loaded from here on is no byte of the frame but a fact about it. */
const SKF_AD_OFF = -0x1000;
const SKF_AD_PKTTYPE = 4;
const SKF_AD_IFINDEX = 8;
/** Of include/uapi/linux/if_packet.h: for another host, or for a VLAN that nobody here has. */
const PACKET_OTHERHOST = 3;

/** Offsets in an Ethernet frame, bytes. */
const arpSender = 28;
const arpTarget = 38;
const ipv6NextHeader = 20;
const icmpv6Type = 54;
const neighbourTargetEnd = 74;

const wholeFrame = 0x4_0000;

/**
 * A filter with more addresses than this names none. A socket's filters, the old one and the new while they change
 * places, have to fit into net.core.optmem_max, 20480 bytes before Linux 6.8: what 150 addresses need. No kernel takes more than
 * 4096 instructions (BPF_MAXINSNS).
 */
const mostNamed = 60;

/**
 * A classic BPF program, an array of struct sock_filter, for a packet socket that is bound to the link of number
 * `index` and to ARP or IPv6: it lets pass only frames that may speak of one of `addresses`, which are all of
 * `family`. What others send, however much it is, costs nothing in this process and fills no buffer. For more than a
 * few addresses it lets pass all that speaks of any. Frames that are about another link come to such a socket too, on
 * their way to a VLAN sub-interface or a macvlan of this link: they are not let pass.
 */
export function claimFilter(index: number, family: Family, addresses: readonly IpAddress[]): Buffer {
  const instructions: readonly Buffer[] = [
    instruction(bpf.loadWord, SKF_AD_OFF + SKF_AD_IFINDEX),
    ...unless(index),
    instruction(bpf.loadByte, SKF_AD_OFF + SKF_AD_PKTTYPE),
    instruction(bpf.jumpIfEqual, PACKET_OTHERHOST, 0, 1),
    reject,
    ...(family === 4 ? arpOf(addresses) : neighbourDiscoveryOf(addresses)),
  ];
  return Buffer.concat(instructions);
}

function arpOf(addresses: readonly IpAddress[]): readonly Buffer[] {
  if (addresses.length > mostNamed) return [pass];
  const anyOf = addresses.flatMap((address) => passIf(wordOf(address, 0)));
  return [
    instruction(bpf.loadWord, arpSender),
    ...anyOf,
    ...unless(0),
    instruction(bpf.loadWord, arpTarget),
    ...anyOf,
    reject,
  ];
}

function neighbourDiscoveryOf(addresses: readonly IpAddress[]): readonly Buffer[] {
  const types = [neighbourSolicitationType, neighbourAdvertisementType];
  const judged =
    addresses.length > mostNamed
      ? [instruction(bpf.loadByte, icmpv6Type), ...types.flatMap(passIf)]
      : // Addresses of one link differ in their ends; the reader looks at the rest.
        [
          instruction(bpf.loadWord, neighbourTargetEnd),
          ...addresses.flatMap((address) => passIf(wordOf(address, 12))),
        ];
  return [instruction(bpf.loadByte, ipv6NextHeader), ...unless(icmpv6), ...judged, reject];
}

function wordOf(address: IpAddress, offset: number): number {
  return Buffer.from(addressToBytes(address)).readUInt32BE(offset);
}

function instruction(code: number, k: number, ifTrue = 0, ifFalse = 0): Buffer {
  return encodeBpf([[code, ifTrue, ifFalse, k]]);
}

const pass = instruction(bpf.return, wholeFrame);
const reject = instruction(bpf.return, 0);

/** Lets the frame pass if what was loaded is `value`. Every jump is short, however many addresses there are. */
function passIf(value: number): readonly Buffer[] {
  return [instruction(bpf.jumpIfEqual, value, 0, 1), pass];
}

/** Rejects the frame unless what was loaded is `value`. */
function unless(value: number): readonly Buffer[] {
  return [instruction(bpf.jumpIfEqual, value, 1, 0), reject];
}
