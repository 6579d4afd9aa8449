import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { vlanProtocol } from "../../codecs.ts";
import { struct, u16, u32 } from "../../wire.ts";

/** enum vlan_flags of include/uapi/linux/if_vlan.h. */
export const VLAN_FLAG_REORDER_HDR = 0x1;
export const VLAN_FLAG_GVRP = 0x2;
export const VLAN_FLAG_LOOSE_BINDING = 0x4;
export const VLAN_FLAG_MVRP = 0x8;
export const VLAN_FLAG_BRIDGE_BINDING = 0x10;

/** IFLA_VLAN_* of include/uapi/linux/if_link.h. */
export const vlanOptions = attributes({
  /** The tag, 0..4094. */
  id: attribute(1, u16),
  /** struct ifla_vlan_flags: VLAN_FLAG_*, of which those in `mask` change. */
  flags: attribute(2, struct({ flags: u32, mask: u32 })),
  protocol: attribute(5, vlanProtocol),
});

/** Settings of a VLAN sub-interface; the lower link is the link's own `lower`. */
export type VlanOptions = Attributes<typeof vlanOptions>;
