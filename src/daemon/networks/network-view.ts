import type { IpamConfig, Network as NetworkDocument, NetworkParent } from "../../api/index.ts";
import type { EndpointRecord, Network, NetworkRecord, NetworkStatus } from "../../cnm/index.ts";
import { addressPart, familyOf, type Id, type Prefix } from "../../core/index.ts";
import { timeText } from "../time-text.ts";

/** A network as listings show it: without its containers. */
export function networkView(record: NetworkRecord): NetworkDocument {
  return {
    Name: record.name,
    Id: record.id,
    Created: timeText(record.created),
    Scope: "local",
    Driver: record.driver,
    EnableIPv4: record.ipv4,
    EnableIPv6: record.ipv6,
    IPAM: {
      Driver: record.ipamDriver,
      Options: { ...record.ipamOptions },
      Config: record.pools.map(ipamConfig),
    },
    Internal: record.internal,
    Attachable: record.attachable ?? false,
    ConfigOnly: record.configOnly ?? false,
    ConfigFrom: record.configFrom ?? "",
    Options: { ...record.options },
    Labels: { ...record.labels },
    Containers: {},
  };
}

/** The endpoints of a network by their sandboxes' ids; `sandboxOf` tells the daemon's id and name of a model's sandbox. */
export function containersView(
  network: Network,
  sandboxOf: (id: Id) => { readonly id: string; readonly name: string } | undefined,
): NetworkDocument["Containers"] {
  const entries = network.endpoints().flatMap((endpoint) => {
    const record = endpoint.record();
    const sandbox = record.join === undefined ? undefined : sandboxOf(record.join.sandbox);
    const view = {
      Name: sandbox?.name ?? record.name,
      EndpointID: record.id,
      MacAddress: record.macAddress ?? "",
      IPv4Address: addressOf(record, 4),
      IPv6Address: addressOf(record, 6),
    };
    return [[sandbox?.id ?? `ep-${record.id}`, view] as const];
  });
  return Object.fromEntries(entries);
}

/** An endpoint's address of a family with its prefix length; empty without one. */
export function addressOf(record: EndpointRecord, family: 4 | 6): string {
  return (
    record.addresses.map(({ address }) => address).find((one) => familyOf(addressPart(one)) === family) ?? ""
  );
}

/** What a network is built on. */
export function parentView(parent: NonNullable<NetworkStatus["parent"]>): NetworkParent {
  const { link, origin, mtu } = parent;
  const found = { Interface: link, Origin: origin, MTU: mtu };
  if (parent.origin === "dummy" || parent.vlan === undefined) return found;
  const { parent: below, id } = parent.vlan;
  const Protocol = parent.origin === "made" ? "802.1Q" : parent.vlan.protocol;
  return {
    ...found,
    VLAN: { ...(below === undefined ? {} : { Interface: below }), Id: id, Protocol },
  };
}

type Pool = NetworkRecord["pools"][number];

function ipamConfig({ pool, gateway, auxAddresses, poolId }: Pool): IpamConfig {
  const range = subPool(poolId, pool);
  const aux = Object.entries(auxAddresses).map(([name, address]) => [name, addressPart(address)] as const);
  return {
    Subnet: pool,
    ...(range === undefined ? {} : { IPRange: range }),
    ...(gateway === undefined ? {} : { Gateway: addressPart(gateway) }),
    ...(aux.length === 0 ? {} : { AuxiliaryAddresses: Object.fromEntries(aux) }),
  };
}

/** The part of a pool that addresses are taken from: the builtin allocator's ids end in it. */
function subPool(poolId: string, pool: Prefix): string | undefined {
  const [, address, length, subAddress, subLength] = poolId.split("/");
  return `${address}/${length}` === pool && subLength !== undefined
    ? `${subAddress}/${subLength}`
    : undefined;
}
