import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { enumerated } from "../../codecs.ts";
import { u16 } from "../../wire.ts";

/** The mode of an ipvlan link: enum ipvlan_mode of include/uapi/linux/if_link.h. */
export const ipvlanMode = enumerated(u16, { l2: 0, l3: 1, l3s: 2 });

/** Flags of ipvlan; neither is the mode that people call "bridge". */
export const IPVLAN_F_PRIVATE = 1;
export const IPVLAN_F_VEPA = 2;

/** IFLA_IPVLAN_* of include/uapi/linux/if_link.h. */
export const ipvlanOptions = attributes({
  mode: attribute(1, ipvlanMode),
  flags: attribute(2, u16),
});

/** Settings of an ipvlan link; the lower link is the link's own `lower`. */
export type IpvlanOptions = Attributes<typeof ipvlanOptions>;
