import { shortId } from "../../src/core/index.ts";
import type { Network, Sandbox } from "../../src/index.ts";
import type { TestNetns } from "../netns-fixture.ts";

/** The addresses of an endpoint, without the lengths of their subnets; empty for a family it has none of. */
export interface PlainAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** The addresses of a sandbox in a network; of its first endpoint if none is named. */
export async function addressesOf(sandbox: Sandbox, network?: Pick<Network, "id">): Promise<PlainAddresses> {
  const endpoint = sandbox
    .endpoints()
    .find(({ networkId }) => network === undefined || networkId === network.id);
  const info = await endpoint?.info();
  return { ipv4: plain(info?.ipv4Address), ipv6: plain(info?.ipv6Address) };
}

/** The addresses that a network's bridge has on the host. */
export function gatewaysOf(network: Network): PlainAddresses {
  const of = (family: 4 | 6) => plain(network.info().pools.find((pool) => pool.family === family)?.gateway);
  return { ipv4: of(4), ipv6: of(6) };
}

/** The name of a network's bridge on the host, where the user chose none. */
export function bridgeNameOf(network: Pick<Network, "id">): string {
  return `br-${shortId(network.id)}`;
}

/** The link-local address of a link of a namespace. Throws when it has none, or none that is in use yet. */
export function linkLocalOf(where: TestNetns, link: string): string {
  const found = JSON.parse(
    where.exec("ip", "-json", "-6", "address", "show", "dev", link, "scope", "link", "-tentative"),
  ) as readonly { readonly addr_info?: readonly { readonly local?: string }[] }[]; // ip's format
  // What does not fit the question is an empty object in ip's answer.
  const [address] = found.flatMap(({ addr_info = [] }) => addr_info.flatMap(({ local }) => local ?? []));
  if (address === undefined) throw new Error(`${link} has no link-local address yet`);
  return address;
}

/** The subnets of a network, IPv4's first. */
export function subnetsOf(network: Network): readonly string[] {
  return network.info().pools.map(({ pool }) => pool);
}

function plain(address: string | undefined): string {
  return address?.replace(/\/.*/, "") ?? "";
}
