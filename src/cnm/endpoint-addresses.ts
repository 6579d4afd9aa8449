import {
  addressPart,
  type Family,
  type MacAddress,
  parseIpv4,
  parseIpv6,
  runAll,
  WeftError,
} from "../core/index.ts";
import {
  eraseLease,
  type Lease,
  macAddressOption,
  requestEndpointAddress,
  writeLease,
} from "../ipam/index.ts";
import type { Transaction } from "../store/index.ts";
import { type Context, ipamDriverOf } from "./context.ts";
import type { AddressRecord, EndpointRecord, NetworkRecord } from "./records.ts";

/**
 * The families that an endpoint has addresses of, with the address it is to have if that is named. Throws
 * INVALID_ADDRESS, INVALID_IPAM_CONFIG.
 */
export function wantedAddresses(
  network: NetworkRecord,
  options: { readonly ipv4Address?: string; readonly ipv6Address?: string },
) {
  const wanted: [Family, ReturnType<typeof parseIpv4> | ReturnType<typeof parseIpv6> | undefined][] = [];
  const refuse = (family: Family, address: string) => {
    throw new WeftError(
      "INVALID_IPAM_CONFIG",
      `invalid address ${address}: network ${network.name} has no IPv${family}`,
    );
  };
  const { ipv4Address, ipv6Address } = options;
  if (network.ipv4) wanted.push([4, ipv4Address === undefined ? undefined : parseIpv4(ipv4Address)]);
  else if (ipv4Address !== undefined) refuse(4, ipv4Address);
  if (network.ipv6) wanted.push([6, ipv6Address === undefined ? undefined : parseIpv6(ipv6Address)]);
  else if (ipv6Address !== undefined) refuse(6, ipv6Address);
  return wanted;
}

/** Takes an address from IPAM; undefined from a driver that has none to give. Throws what IPAM refuses. */
export async function takeAddress(
  context: Context,
  network: NetworkRecord,
  family: Family,
  preferred: ReturnType<typeof parseIpv4> | ReturnType<typeof parseIpv6> | undefined,
  mac: MacAddress | undefined,
  signal: AbortSignal | undefined,
): Promise<AddressRecord | undefined> {
  const ipam = ipamDriverOf(context, network.ipamDriver);
  const withMac =
    ipam.capabilities.requiresMacAddress && mac !== undefined ? { [macAddressOption]: mac } : {};
  const { poolId, address } = await requestEndpointAddress(
    ipam,
    {
      network,
      pools: network.pools,
      family,
      ...(preferred === undefined ? {} : { preferred }),
      options: { ...network.ipamOptions, ...withMac },
    },
    signal,
  );
  return address === undefined ? undefined : { poolId, address };
}

/** Writes an endpoint's record and the leases of its addresses. */
export function writeEndpoint(
  { tables }: Context,
  transaction: Transaction,
  network: NetworkRecord,
  record: EndpointRecord,
): void {
  tables.endpoints.put(transaction, record);
  for (const lease of leasesOfEndpoint(network, record)) writeLease(transaction, lease);
}

/** Removes an endpoint's record and its leases. */
export function eraseEndpoint(
  { tables }: Context,
  transaction: Transaction,
  network: NetworkRecord,
  record: EndpointRecord,
): void {
  tables.endpoints.delete(transaction, record.id);
  for (const lease of leasesOfEndpoint(network, record)) eraseLease(transaction, lease);
}

function leasesOfEndpoint({ ipamDriver }: NetworkRecord, { id, addresses }: EndpointRecord): Lease[] {
  return addresses
    .filter(({ poolId }) => poolId !== "") // a driver's own address is not weft's to lease
    .map(({ poolId, address }) => ({
      driver: ipamDriver,
      poolId,
      address: addressPart(address),
      owner: id,
      kind: "endpoint",
    }));
}

/** Gives addresses back to IPAM, going on past errors. */
export async function releaseAddresses(
  context: Context,
  network: NetworkRecord,
  addresses: readonly AddressRecord[],
): Promise<void> {
  const ipam = ipamDriverOf(context, network.ipamDriver);
  await runAll(
    "release of addresses",
    addresses
      .filter(({ poolId }) => poolId !== "")
      .map(
        ({ poolId, address }) =>
          () =>
            ipam.releaseAddress(poolId, addressPart(address)),
      ),
  );
}
