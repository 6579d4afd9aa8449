import { existsSync } from "node:fs";
import { parseAddress } from "../core/index.ts";
import { inNewNetns, isKernelError } from "../kernel/index.ts";
import {
  conntrack,
  genetlink,
  NETLINK_GENERIC,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  NETLINK_XFRM,
  NetlinkSocket,
  nftables,
  rtnetlink,
  xfrm,
} from "../kernel/netlink/index.ts";
import { type Feature, type FeatureName, featureNames } from "./feature.ts";

/** Finds out in the calling thread's namespace; a KernelError means that the feature is not there. */
type Attempt = () => boolean;

interface Probe extends Pick<Feature, "module" | "neededFor"> {
  readonly attempt: Attempt;
}

/** The links that those which need one below are tried on; one below a macvlan can carry no ipvlan too. */
const lowerIndex = 1000;
const secondLowerIndex = 1001;

/**
 * Probes whether this kernel offers these features, by making one of each in a throw-away namespace of the
 * calling thread. The kernel loads modules for it where it can. Throws KernelError when there is no namespace.
 */
export function probeFeatures(names: readonly FeatureName[] = featureNames): readonly Feature[] {
  return inNewNetns(() => {
    // Without it the probes that need it fail too: nothing of weft works on such a kernel.
    const pair = { kind: "veth", peer: { name: "lower2", index: secondLowerIndex } } as const;
    succeeds(link(pair, undefined, { name: "lower1", index: lowerIndex }));
    return names.map((name) => {
      const { attempt, ...feature } = probes[name];
      return { name, ...feature, available: succeeds(attempt) };
    });
  });
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
  const name = `probe-${rtnetlink.kindName(kind)}`;
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

/** A chain that sees frames on bridges: some kernels have nftables without that family (CONFIG_NF_TABLES_BRIDGE). */
function bridgeChain(): boolean {
  const hook = { type: "filter", hook: "forward", priority: 0, policy: "accept" } as const;
  const definition = {
    family: "bridge",
    table: "probe",
    sets: {},
    chains: { frames: { hook, rules: [] } },
  } as const;
  return withSocket(NETLINK_NETFILTER, (socket) => nftables.commit(socket, nftables.createTable(definition)));
}

/** An encrypted connection's state of the sort that overlay networks have. */
function espState(): boolean {
  const [source, destination] = [parseAddress("192.0.2.1"), parseAddress("192.0.2.2")];
  const aead = { name: "rfc4106(gcm(aes))", key: new Uint8Array(20), icvLength: 64 };
  const state = { source, destination, spi: 0x100, reqid: 1, mode: "transport", aead } as const;
  return withSocket(NETLINK_XFRM, (socket) => socket.execute(xfrm.addState(state)));
}

function hasFamily(name: string): Attempt {
  return () => {
    let id: number | undefined;
    withSocket(NETLINK_GENERIC, (socket) => {
      id = genetlink.familyId(socket, name);
    });
    return id !== undefined;
  };
}

const probes: Readonly<Record<FeatureName, Probe>> = {
  bridge: { module: "bridge", neededFor: "bridge networks", attempt: link({ kind: "bridge" }) },
  veth: { module: "veth", neededFor: "endpoints of bridge networks", attempt: link({ kind: "veth" }) },
  "nftables NAT": {
    module: "nft_masq",
    neededFor: "the way out of bridge networks, names in sandboxes",
    attempt: natChain,
  },
  "nftables bridge": {
    module: "nft-bridge",
    neededFor: "bridge networks with a port to the physical network",
    attempt: bridgeChain,
  },
  conntrack: {
    module: "nf_conntrack_netlink",
    neededFor: "forgetting flows to ports that are no longer published",
    attempt: () => withSocket(NETLINK_NETFILTER, (socket) => void conntrack.listFlows(socket)),
  },
  IPv6: {
    module: "ipv6",
    neededFor: "networks with IPv6",
    attempt: () => existsSync("/proc/sys/net/ipv6"),
  },
  br_netfilter: {
    module: "br_netfilter",
    neededFor: "rules between ports of one bridge",
    attempt: () => existsSync("/proc/sys/net/bridge"),
  },
  vxlan: {
    module: "vxlan",
    neededFor: "overlay networks",
    attempt: link({ kind: "vxlan", id: 1, port: 4789 }),
  },
  macvlan: {
    module: "macvlan",
    neededFor: "macvlan networks",
    attempt: link({ kind: "macvlan", mode: "bridge" }, lowerIndex),
  },
  ipvlan: {
    module: "ipvlan",
    neededFor: "ipvlan networks",
    attempt: link({ kind: "ipvlan" }, secondLowerIndex),
  },
  "802.1Q": {
    module: "8021q",
    neededFor: "VLAN sub-interfaces",
    attempt: link({ kind: "vlan", id: 2 }, lowerIndex),
  },
  dummy: {
    module: "dummy",
    neededFor: "macvlan and ipvlan networks without a parent",
    attempt: link({ kind: "dummy" }),
  },
  IPVS: {
    module: "ip_vs",
    neededFor: "virtual addresses of services, balanced by IPVS",
    attempt: hasFamily("IPVS"),
  },
  ESP: { module: "esp4", neededFor: "encrypted overlay networks", attempt: espState },
  WireGuard: {
    module: "wireguard",
    neededFor: "an underlay of WireGuard links",
    attempt: link({ kind: "other", name: "wireguard" }),
  },
  netem: {
    module: "sch_netem",
    neededFor: "links with delay and loss in a lab",
    attempt: () => withSocket(NETLINK_ROUTE, (socket) => socket.execute(rtnetlink.addNetem(lowerIndex))),
  },
};
