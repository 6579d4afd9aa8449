import { attribute, attributes, nested } from "../attributes.ts";
import { enumerated, linkLayerAddress } from "../codecs.ts";
import { i32, padding, struct, text, u8, u16, u32 } from "../wire.ts";
import { ipv6Conf } from "./ipv6-conf.ts";
import { AF_INET6 } from "./rtm.ts";

/** struct ifinfomsg of include/uapi/linux/rtnetlink.h: ahead of the attributes of every link message. */
export const ifinfomsg = struct({
  family: u8,
  pad: padding(1),
  /** ARPHRD_* of include/uapi/linux/if_arp.h. */
  type: u16,
  index: i32,
  /** IFF_* of include/uapi/linux/if.h. */
  flags: u32,
  /** Which of the flags a request changes. */
  change: u32,
});

export const IFF_UP = 0x1;
export const IFF_LOOPBACK = 0x8;
export const IFF_RUNNING = 0x40;
export const IFF_PROMISC = 0x100;
export const IFF_LOWER_UP = 0x10000;

/** RFC 2863 operational status, IF_OPER_* of include/uapi/linux/if.h. */
export const operState = enumerated(u8, {
  unknown: 0,
  notpresent: 1,
  down: 2,
  lowerlayerdown: 3,
  testing: 4,
  dormant: 5,
  up: 6,
});

/** How a link makes its link-local IPv6 address, IN6_ADDR_GEN_MODE_* of include/uapi/linux/if_link.h. */
export const addrGenMode = enumerated(u8, { eui64: 0, none: 1, "stable-privacy": 2, random: 3 });

/** IFLA_AF_SPEC holds one attribute a family, with that family's own numbers inside: IFLA_INET6_*. */
const familySpecific = attributes({
  inet6: nested(
    AF_INET6,
    attributes({ conf: attribute(2, ipv6Conf), addrGenMode: attribute(8, addrGenMode) }),
  ),
});

/** IFLA_* of include/uapi/linux/if_link.h, those that a veth's peer may carry as well as any link. */
export const commonLinkAttributes = {
  mac: attribute(1, linkLayerAddress),
  name: attribute(3, text),
  mtu: attribute(4, u32),
  lower: attribute(5, u32),
  master: attribute(10, u32),
  txQueueLength: attribute(13, u32),
  operState: attribute(16, operState),
  alias: attribute(20, text),
  familySpecific: nested(26, familySpecific),
  group: attribute(27, u32),
  netnsFd: attribute(28, u32),
  numTxQueues: attribute(31, u32),
  numRxQueues: attribute(32, u32),
  lowerNetnsId: attribute(37, i32),
  newIndex: attribute(49, u32),
  alternativeName: attribute(53, text),
} as const;
