import { setSysctl } from "../../test/e2e/uplink.ts";
import type { TestNetns } from "../../test/netns-fixture.ts";

/** The namespaces that a bench beside a peer needs; `withNetns` makes them. */
export const lanNames = ["switch", "client", "docker", "weft", "router", "left", "right"] as const;

/** Those namespaces by name. */
export type LanNamespaces = Readonly<Record<(typeof lanNames)[number], TestNetns>>;

/** The way from a client's network namespace to a server: the address that leads there. */
export interface Path {
  readonly client: string;
  readonly address: string;
}

/** The hosts' addresses on their common wire. */
export const lanAddresses = {
  client: "192.0.2.1",
  docker: "192.0.2.2",
  weft: "192.0.2.3",
  router: "192.0.2.4",
};

/**
 * Joins a client and the hosts by a switch. The switch is a bridge in a namespace of its own: frames on a
 * bridge pass the iptables rules of its namespace, and dockerd forbids what it does not know there.
 */
export function layLan(namespaces: LanNamespaces): void {
  for (const one of Object.values(namespaces)) one.exec("ip", "link", "set", "lo", "up");
  const { switch: middle } = namespaces;
  addBridge(middle, "lan0");
  for (const name of ["client", "docker", "weft", "router"] as const) {
    addVeth(middle, name, namespaces[name], "eth0", `${lanAddresses[name]}/24`);
    middle.exec("ip", "link", "set", name, "master", "lan0");
  }
  // More connections than the usual 28,000 ports allow may stand in TIME_WAIT.
  setSysctl(namespaces.client, "net/ipv4/ip_local_port_range", "1024 65535");
}

/** The kernel's share of one network: a veth pair between two namespaces and nothing else. */
export function layWire({ left, right }: LanNamespaces): Path {
  addVeth(left, "wire0", right, "wire0", "10.250.0.2/24");
  left.exec("ip", "address", "add", "10.250.0.1/24", "dev", "wire0");
  return { client: left.path, address: "10.250.0.2" };
}

/** The kernel's share of a published port: the same hops by a host that only routes, without a rule. */
export function layRoute({ client, router, right }: LanNamespaces): Path {
  addBridge(router, "inner0");
  router.exec("ip", "address", "add", "10.251.0.1/24", "dev", "inner0");
  addVeth(router, "inner1", right, "inner0", "10.251.0.2/24");
  router.exec("ip", "link", "set", "inner1", "master", "inner0");
  setSysctl(router, "net/ipv4/ip_forward", "1");
  client.exec("ip", "route", "add", "10.251.0.0/24", "via", lanAddresses.router);
  right.exec("ip", "route", "add", "192.0.2.0/24", "via", "10.251.0.1");
  return { client: client.path, address: "10.251.0.2" };
}

function addBridge(where: TestNetns, name: string): void {
  where.exec("ip", "link", "add", name, "type", "bridge");
  where.exec("ip", "link", "set", name, "up");
}

/** Joins two namespaces by a wire; `address` is the peer's, with the length of its subnet. Both ends are up. */
export function addVeth(
  where: TestNetns,
  name: string,
  peer: TestNetns,
  peerName: string,
  address: string,
): void {
  where.exec("ip", "link", "add", name, "type", "veth", "peer", "name", peerName, "netns", peer.path);
  peer.exec("ip", "address", "add", address, "dev", peerName);
  peer.exec("ip", "link", "set", peerName, "up");
  where.exec("ip", "link", "set", name, "up");
}
