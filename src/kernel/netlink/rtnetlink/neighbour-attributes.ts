import { attribute, attributes } from "../attributes.ts";
import { linkLayerAddress } from "../codecs.ts";
import { i32, ipAddress, padding, struct, u8, u16, u16be, u32 } from "../wire.ts";

/** struct ndmsg of include/uapi/linux/neighbour.h. */
export const ndmsg = struct({
  family: u8,
  pad: padding(3),
  link: i32,
  state: u16,
  flags: u8,
  type: u8,
});

/** NDA_* of include/uapi/linux/neighbour.h, for neighbours and FDB entries. */
export const neighbourAttributes = attributes({
  destination: attribute(1, ipAddress),
  mac: attribute(2, linkLayerAddress),
  vlan: attribute(5, u16),
  port: attribute(6, u16be),
  vni: attribute(7, u32),
  interface: attribute(8, u32),
  master: attribute(9, u32),
  sourceVni: attribute(11, u32),
  protocol: attribute(12, u8),
});

/** States of an entry, include/uapi/linux/neighbour.h. */
export const NUD_INCOMPLETE = 0x01;
export const NUD_REACHABLE = 0x02;
export const NUD_STALE = 0x04;
export const NUD_DELAY = 0x08;
export const NUD_PROBE = 0x10;
export const NUD_FAILED = 0x20;
export const NUD_NOARP = 0x40;
export const NUD_PERMANENT = 0x80;

/** Flags of an entry, include/uapi/linux/neighbour.h. */
export const NTF_USE = 0x01;
/** The entry is the link's own: a VXLAN's, or a bridge's own address. */
export const NTF_SELF = 0x02;
/** The entry is of the bridge that the link is a port of. */
export const NTF_MASTER = 0x04;
export const NTF_PROXY = 0x08;
export const NTF_EXT_LEARNED = 0x10;
export const NTF_STICKY = 0x40;
export const NTF_ROUTER = 0x80;
