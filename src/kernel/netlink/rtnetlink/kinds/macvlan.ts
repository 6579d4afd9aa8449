import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { enumerated } from "../../codecs.ts";
import { u16, u32 } from "../../wire.ts";

/** The mode of a macvlan link: enum macvlan_mode of include/uapi/linux/if_link.h. */
export const macvlanMode = enumerated(u32, { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 });

/** In passthru mode, do not make the lower link promiscuous. */
export const MACVLAN_FLAG_NOPROMISC = 1;
export const MACVLAN_FLAG_NODST = 2;

/** IFLA_MACVLAN_* of include/uapi/linux/if_link.h. */
export const macvlanOptions = attributes({
  mode: attribute(1, macvlanMode),
  flags: attribute(2, u16),
});

/** Settings of a macvlan link; the lower link is the link's own `lower`. */
export type MacvlanOptions = Attributes<typeof macvlanOptions>;
