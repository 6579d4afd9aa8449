export * from "./address.ts";
export type { BridgePort } from "./bridge-port.ts";
export * from "./fdb.ts";
export type { Ipv6Conf } from "./ipv6-conf.ts";
export * from "./kinds/bridge.ts";
export * from "./kinds/ipvlan.ts";
export * from "./kinds/macvlan.ts";
export * from "./kinds/veth.ts";
export * from "./kinds/vlan.ts";
export * from "./kinds/vrf.ts";
export * from "./kinds/vxlan.ts";
export * from "./link.ts";
export {
  IFF_LOOPBACK,
  IFF_LOWER_UP,
  IFF_PROMISC,
  IFF_RUNNING,
  IFF_UP,
} from "./link-attributes.ts";
export { kindName, type LinkKind } from "./link-kinds.ts";
export * from "./link-queries.ts";
export * from "./namespace-id.ts";
export * from "./neighbour.ts";
export {
  NTF_EXT_LEARNED,
  NTF_MASTER,
  NTF_PROXY,
  NTF_ROUTER,
  NTF_SELF,
  NTF_STICKY,
  NTF_USE,
  NUD_DELAY,
  NUD_FAILED,
  NUD_INCOMPLETE,
  NUD_NOARP,
  NUD_PERMANENT,
  NUD_PROBE,
  NUD_REACHABLE,
  NUD_STALE,
} from "./neighbour-attributes.ts";
export * from "./qdisc.ts";
export * from "./route.ts";
export type { NextHop, RouteType } from "./route-attributes.ts";
export * from "./rtm.ts";
export * from "./rule.ts";
export * from "./tables.ts";
