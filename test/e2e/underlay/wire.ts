import type { SubnetConfig } from "../../../src/ipam/index.ts";
import type { TestNetns } from "../../netns-fixture.ts";
import type { PlainAddresses } from "../sandbox-addresses.ts";
import type { TestHost } from "../test-host.ts";
import { until } from "../until.ts";
import { hasLinkLocal, setSysctl } from "../uplink.ts";

/** The addresses of the machine at the other end of the wire. */
export const outsideAddresses: PlainAddresses = { ipv4: "192.0.2.2", ipv6: "2001:db8::2" };
/** The host's own on it. */
export const hostAddresses: PlainAddresses = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };

/** The subnets of that wire, of which weft gives out a half. */
export const subnets: readonly SubnetConfig[] = [
  { subnet: "192.0.2.0/24", ipRange: "192.0.2.128/25" },
  { subnet: "2001:db8::/64", ipRange: "2001:db8::8000/113" },
];

/** The link of the host, and the switch's port at its other end. */
export const uplink = "up0";
const port = "port0";
const uplinkMac = "02:00:00:00:01:01";
/** The switch, which is a machine too and has the outside's addresses. */
export const switchLink = "sw";

/** Joins the host by `up0` to a switch in the namespace outside. */
export async function joinToSwitch({ netns, outside }: Pick<TestHost, "netns" | "outside">): Promise<void> {
  outside.exec("ip", "link", "add", switchLink, "type", "bridge", "mcast_snooping", "0");
  const far = ["peer", "name", port, "netns", outside.path];
  // The same index and address each time: a card that is put back looks as it did.
  netns.exec("ip", "link", "add", uplink, "index", "1000", "address", uplinkMac, "type", "veth", ...far);
  outside.exec("ip", "link", "set", port, "master", switchLink, "up");
  bringUp(outside, switchLink, outsideAddresses);
  bringUp(netns, uplink, hostAddresses);
  await until("the wire is up", () => hasLinkLocal(netns, uplink) && hasLinkLocal(outside, switchLink));
}

/** Lets the switch send frames back to the port that they came from, or not. */
export function setHairpin({ outside }: Pick<TestHost, "outside">, hairpin: boolean): void {
  outside.exec("ip", "link", "set", port, "type", "bridge_slave", "hairpin", hairpin ? "on" : "off");
}

/** Gives a link addresses, without duplicate address detection, and brings it up. */
export function bringUp(where: TestNetns, link: string, { ipv4, ipv6 }: PlainAddresses): void {
  setSysctl(where, `net/ipv6/conf/${link}/accept_dad`, "0");
  where.exec("ip", "address", "add", `${ipv4}/24`, "dev", link);
  where.exec("ip", "address", "add", `${ipv6}/64`, "dev", link, "nodad");
  where.exec("ip", "link", "set", link, "up");
}

/** What the kernel holds of a link. */
export interface LinkState {
  readonly address: string;
  readonly mtu: number;
  /** How many want it to take in all frames. */
  readonly promiscuity: number;
}

/** The state of a link in a namespace. */
export function linkState(where: TestNetns, link: string): LinkState {
  const text = where.exec("ip", "-json", "-details", "link", "show", "dev", link);
  const [found] = JSON.parse(text) as readonly LinkState[]; // ip's format
  if (found === undefined) throw new Error(`no link ${link}`);
  return found;
}
