import { padding, struct, u8 } from "../wire.ts";

/** struct genlmsghdr of include/uapi/linux/genetlink.h, with which every message of generic netlink begins. */
export const genlmsghdr = struct({ command: u8, version: u8, reserved: padding(2) });
