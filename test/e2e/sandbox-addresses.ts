import type { Network, Sandbox } from "../../src/index.ts";

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

/** The subnets of a network, IPv4's first. */
export function subnetsOf(network: Network): readonly string[] {
  return network.info().pools.map(({ pool }) => pool);
}

function plain(address: string | undefined): string {
  return address?.replace(/\/.*/, "") ?? "";
}
