import { inNetns, isKernelError, isWireless } from "../kernel/index.ts";
import { genetlink, NETLINK_GENERIC, NetlinkSocket, rtnetlink } from "../kernel/netlink/index.ts";
import { type HostLink, readHostLink } from "./host-link.ts";

/** A link of the host, with what matters to frames of sandboxes that leave by it. */
export interface WireLink extends HostLink {
  /** How many want it to hear frames to any MAC address: ports of bridges, listening programs, people. */
  readonly promiscuity: number;
  /** A person or a program has asked for that by the link's own flag, `ip link set promisc on`. */
  readonly promiscuousFlag: boolean;
  /** Absent for one with a cable. A VLAN sub-interface is what its parent is. */
  readonly wireless?: Wireless | undefined;
}

/** How a link is wireless; `unknown` where only the old wireless extensions tell that it is. */
export interface Wireless {
  readonly role: genetlink.WirelessInterface["role"] | "unknown";
  readonly fourAddress: boolean;
}

/** Reads the link of that name in the namespace of `netnsFd`, where `socket` is; undefined when there is none. Throws KernelError. */
export function readWireLink(socket: NetlinkSocket, netnsFd: number, name: string): WireLink | undefined {
  const link = readHostLink(socket, name);
  const state = rtnetlink.getPromiscuity(socket, name);
  if (link === undefined || state === undefined) return undefined;
  return {
    ...link,
    promiscuity: state.count,
    promiscuousFlag: state.byFlag,
    wireless: wirelessOf(socket, netnsFd, link.vlan?.parent ?? name),
  };
}

function wirelessOf(socket: NetlinkSocket, netnsFd: number, name: string): Wireless | undefined {
  const index = rtnetlink.getLink(socket, name)?.index;
  if (index === undefined) return undefined;
  const generic = inNetns(netnsFd, () => NetlinkSocket.open(NETLINK_GENERIC));
  try {
    const found = genetlink.wirelessInterface(generic, index);
    if (found !== undefined) return found;
  } catch (error) {
    if (!isKernelError(error)) throw error;
  } finally {
    generic.close();
  }
  // Drivers that are older than nl80211.
  return inNetns(netnsFd, () => isWireless(name)) ? { role: "unknown", fourAddress: false } : undefined;
}
