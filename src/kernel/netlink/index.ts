/**
 * Netlink for Node: a codec whose layouts are declared as data, request sockets, monitors, and the
 * families built on them. It knows nothing of the rest of weft and is exported as `weft/netlink`.
 */
export {
  addressPart,
  type InterfaceAddress,
  type IpAddress,
  type MacAddress,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
} from "../../core/index.ts";
export { errnoName, isKernelError, KernelError } from "../kernel-error.ts";
export {
  createNetns,
  inNetns,
  inNetnsAt,
  inNewNetns,
  isNetns,
  mountPrivateFolder,
  openNetns,
  removeNetns,
  unmountPrivateFolder,
} from "../netns.ts";
export * from "./attributes.ts";
export * from "./codecs.ts";
export * as conntrack from "./conntrack/index.ts";
export type { MonitorFilter } from "./datagram-filter.ts";
export * as genetlink from "./genetlink/index.ts";
export * from "./live-table.ts";
export * from "./message.ts";
export * from "./monitor.ts";
export * from "./multicast-socket.ts";
export * as nftables from "./nftables/index.ts";
export * as rtnetlink from "./rtnetlink/index.ts";
export * from "./socket.ts";
export * from "./wire.ts";
export * as xfrm from "./xfrm/index.ts";
