import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { bool8, clockTicks, vlanProtocol } from "../../codecs.ts";
import { u16, u32 } from "../../wire.ts";

/** IFLA_BR_* of include/uapi/linux/if_link.h. Absent ones stay as they are; a dump gives all. */
export const bridgeOptions = attributes({
  /** How long a port listens and learns before it forwards, ms; no matter without STP. */
  forwardDelayMs: attribute(1, clockTicks),
  helloTimeMs: attribute(2, clockTicks),
  maxAgeMs: attribute(3, clockTicks),
  /** How long a learned entry lives, ms. */
  ageingTimeMs: attribute(4, clockTicks),
  /** IFLA_BR_STP_STATE: 0 off, 1 the kernel's, 2 a daemon's. */
  stp: attribute(5, u32),
  priority: attribute(6, u16),
  vlanFiltering: attribute(7, bool8),
  vlanProtocol: attribute(8, vlanProtocol),
  /** Which link-local multicast (01:80:c2:00:00:0X) is forwarded, a bit each. */
  groupForwardMask: attribute(9, u16),
  multicastSnooping: attribute(23, bool8),
  multicastQuerier: attribute(25, bool8),
  /** Frames meet the IPv4, IPv6, ARP hooks of netfilter; ORed with the sysctl of br_netfilter. */
  nfCallIptables: attribute(36, bool8),
  nfCallIp6tables: attribute(37, bool8),
  nfCallArptables: attribute(38, bool8),
  /** The VLAN of untagged frames on new ports; 0 for none. */
  defaultPvid: attribute(39, u16),
});

/** Settings of a bridge. */
export type BridgeOptions = Attributes<typeof bridgeOptions>;
