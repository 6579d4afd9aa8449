import { readFileSync, writeFileSync } from "node:fs";
import type { TestNetns } from "../netns-fixture.ts";
import type { PlainAddresses } from "./sandbox-addresses.ts";
import type { TestHost } from "./test-host.ts";
import { until } from "./until.ts";

/** The host's addresses on the wire that joins it to its neighbour. */
export const hostAddresses: PlainAddresses = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
/** The neighbour's. */
export const outsideAddresses: PlainAddresses = { ipv4: "192.0.2.2", ipv6: "2001:db8::2" };
/** The second neighbour's, on a wire of its own. */
export const farAddresses: PlainAddresses = { ipv4: "198.51.100.2", ipv6: "2001:db8:f::2" };
/** The host's on that wire. */
export const hostAddressesToFar: PlainAddresses = { ipv4: "198.51.100.1", ipv6: "2001:db8:f::1" };

/** Joins the host and the namespace outside by a veth pair: `up0` on the host, `wire0` outside. */
export async function joinToHost({ netns, outside }: Pick<TestHost, "netns" | "outside">): Promise<void> {
  await wire(netns, "up0", hostAddresses, outside, outsideAddresses);
}

/** Joins the host and the namespace `far`, as `up1`. Both neighbours send to each other, and to the host's other address, by way of the host. */
export async function joinFarToHost({ netns, outside, far }: TestHost): Promise<void> {
  await wire(netns, "up1", hostAddressesToFar, far, farAddresses);
  for (const one of [farAddresses, hostAddressesToFar]) route(outside, one, hostAddresses);
  for (const one of [outsideAddresses, hostAddresses]) route(far, one, hostAddressesToFar);
}

async function wire(
  host: TestNetns,
  link: string,
  own: PlainAddresses,
  peer: TestNetns,
  its: PlainAddresses,
): Promise<void> {
  host.exec("ip", "link", "add", link, "type", "veth", "peer", "name", "wire0", "netns", peer.path);
  addAddresses(host, link, own);
  addAddresses(peer, "wire0", its);
  // The kernel may take a second to notice that a wire is up; until then an end answers no solicitation.
  await until(`${link} is a wire`, () => hasLinkLocal(host, link) && hasLinkLocal(peer, "wire0"));
}

/** Whether a link has a link-local address that is in use already. */
export function hasLinkLocal(where: TestNetns, link: string): boolean {
  return where
    .exec("ip", "-6", "address", "show", "dev", link, "scope", "link", "-tentative")
    .includes("inet6");
}

/** Without duplicate address detection: a router sends no solicitation before it has a link-local address. */
function addAddresses(where: TestNetns, link: string, { ipv4, ipv6 }: PlainAddresses): void {
  setSysctl(where, `net/ipv6/conf/${link}/accept_dad`, "0");
  where.exec("ip", "address", "add", `${ipv4}/24`, "dev", link);
  where.exec("ip", "address", "add", `${ipv6}/64`, "dev", link, "nodad");
  where.exec("ip", "link", "set", link, "up");
}

function route(where: TestNetns, to: PlainAddresses, via: PlainAddresses): void {
  where.exec("ip", "route", "add", `${to.ipv4}/32`, "via", via.ipv4);
  where.exec("ip", "route", "add", `${to.ipv6}/128`, "via", via.ipv6);
}

/** Lets the neighbour send to a subnet by way of the host. */
export function routeTo({ outside }: TestHost, subnet: string): void {
  const via = subnet.includes(":") ? hostAddresses.ipv6 : hostAddresses.ipv4;
  outside.exec("ip", "route", "add", subnet, "via", via);
}

/** The value of a sysctl in a namespace, `net/ipv4/ip_forward`. */
export function sysctl(netns: TestNetns, key: string): string {
  return netns.run(() => readFileSync(`/proc/sys/${key}`, "utf8").trim());
}

/** Sets a sysctl in a namespace. */
export function setSysctl(netns: TestNetns, key: string, value: string): void {
  netns.run(() => writeFileSync(`/proc/sys/${key}`, value));
}
