import type { Family } from "../../../core/index.ts";

/** NFNL_SUBSYS_CTNETLINK, include/uapi/linux/netfilter/nfnetlink.h. */
const NFNL_SUBSYS_CTNETLINK = 1;

/** enum cntl_msg_types of include/uapi/linux/netfilter/nfnetlink_conntrack.h. */
export const IPCTNL_MSG_CT_NEW = 0;
export const IPCTNL_MSG_CT_GET = 1;
export const IPCTNL_MSG_CT_DELETE = 2;
export const IPCTNL_MSG_CT_GET_STATS = 5;

/** The nlmsghdr type of a message. */
export function messageType(message: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | message;
}

/** AF_INET or AF_INET6; AF_UNSPEC for both. */
export function familyNumber(family: Family | undefined): number {
  return family === undefined ? 0 : family === 4 ? 2 : 10;
}
