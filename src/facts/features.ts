import { existsSync } from "node:fs";
import { createNetns, inNetnsAt, isKernelError, removeNetns } from "../kernel/index.ts";
import {
  conntrack,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NetlinkSocket,
  nftables,
  rtnetlink,
} from "../kernel/netlink/index.ts";
import type { Feature } from "./host-facts.ts";

/** Finds out in the calling thread's namespace; a KernelError means that the feature is not there. */
type Attempt = () => boolean;

interface Probe extends Omit<Feature, "available"> {
  readonly attempt: Attempt;
}

/** The link that those which need one below are tried on. */
const lowerIndex = 1000;

/**
 * Probes what this kernel offers by making one of each in a throw-away namespace, which is kept at the
 * path `scratch` meanwhile. Throws KernelError when that cannot be made.
 */
export function probeFeatures(scratch: string): readonly Feature[] {
  createNetns(scratch);
  try {
    return inNetnsAt(scratch, () => {
      // Without it the probes that need it fail too: nothing of weft works on such a kernel.
      succeeds(link({ kind: "veth" }, undefined, { name: "lower", index: lowerIndex }));
      return probes.map(({ attempt, ...feature }) => ({ ...feature, available: succeeds(attempt) }));
    });
  } finally {
    removeNetns(scratch);
  }
}

function succeeds(attempt: Attempt): boolean {
  try {
    return attempt();
  } catch (error) {
    if (isKernelError(error)) return false;
    throw error;
  }
}

function withSocket(family: number, work: (socket: NetlinkSocket) => void): true {
  const socket = NetlinkSocket.open(family);
  try {
    work(socket);
    return true;
  } finally {
    socket.close();
  }
}

function link(
  kind: rtnetlink.LinkKind,
  lower?: number,
  also: { readonly name?: string; readonly index?: number } = {},
): Attempt {
  const name = `probe-${kind.kind}`;
  return () =>
    withSocket(NETLINK_ROUTE, (socket) =>
      socket.execute(rtnetlink.createLink({ name, kind, lower, ...also })),
    );
}

function natChain(): boolean {
  const { masquerade, priorities, rule } = nftables;
  const hook = { type: "nat", hook: "postrouting", priority: priorities.srcnat, policy: "accept" } as const;
  const definition = {
    family: "inet",
    table: "probe",
    sets: {},
    chains: { nat: { hook, rules: [rule("inet", [masquerade()])] } },
  } as const;
  return withSocket(NETLINK_NETFILTER, (socket) => nftables.commit(socket, nftables.createTable(definition)));
}

const probes: readonly Probe[] = [
  { name: "bridge", module: "bridge", neededFor: "bridge networks", attempt: link({ kind: "bridge" }) },
  {
    name: "veth",
    module: "veth",
    neededFor: "endpoints of bridge networks",
    attempt: link({ kind: "veth" }),
  },
  {
    name: "nftables NAT",
    module: "nft_masq",
    neededFor: "the way out of bridge networks, names in sandboxes",
    attempt: natChain,
  },
  {
    name: "conntrack",
    module: "nf_conntrack_netlink",
    neededFor: "forgetting flows to ports that are no longer published",
    attempt: () => withSocket(NETLINK_NETFILTER, (socket) => void conntrack.listFlows(socket)),
  },
  {
    name: "IPv6",
    module: "ipv6",
    neededFor: "networks with IPv6",
    attempt: () => existsSync("/proc/sys/net/ipv6"),
  },
  {
    name: "br_netfilter",
    module: "br_netfilter",
    neededFor: "rules between ports of one bridge",
    attempt: () => existsSync("/proc/sys/net/bridge"),
  },
  {
    name: "vxlan",
    module: "vxlan",
    neededFor: "overlay networks",
    attempt: link({ kind: "vxlan", id: 1, port: 4789 }),
  },
  {
    name: "macvlan",
    module: "macvlan",
    neededFor: "macvlan networks",
    attempt: link({ kind: "macvlan", mode: "bridge" }, lowerIndex),
  },
  {
    name: "ipvlan",
    module: "ipvlan",
    neededFor: "ipvlan networks",
    attempt: link({ kind: "ipvlan" }, lowerIndex),
  },
  {
    name: "802.1Q",
    module: "8021q",
    neededFor: "VLAN sub-interfaces",
    attempt: link({ kind: "vlan", id: 2 }, lowerIndex),
  },
  {
    name: "dummy",
    module: "dummy",
    neededFor: "macvlan and ipvlan networks without a parent",
    attempt: link({ kind: "dummy" }),
  },
];
