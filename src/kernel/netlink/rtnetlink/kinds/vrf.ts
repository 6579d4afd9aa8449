import { type Attributes, attribute, attributes } from "../../attributes.ts";
import { u32 } from "../../wire.ts";

/** IFLA_VRF_TABLE of include/uapi/linux/if_link.h. */
export const vrfOptions = attributes({ table: attribute(1, u32) });

/** Settings of a VRF: its routing table. */
export type VrfOptions = Attributes<typeof vrfOptions>;
