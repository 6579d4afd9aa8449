import { addressToBytes, type Family, familyOf, type Id, type IpAddress } from "../core/index.ts";
import { type NameKey, nameKey } from "./name.ts";

/** What an endpoint is known by in a network. */
export interface Publication {
  /**
   * In the order of DNSNames: container name, aliases, short id, hostname. The first makes the PTR
   * record. Names that no DNS message can carry are left out, for nobody could ask for them.
   */
  readonly names: readonly string[];
  readonly addresses: readonly IpAddress[];
}

/** The addresses of one name, 4 or 16 bytes each, none twice. */
type Addresses = Readonly<Record<Family, readonly Uint8Array[]>>;

/** A name with its owners, and what they sum up to until one of them changes. */
interface NameRecord {
  readonly owners: Map<Id, readonly IpAddress[]>;
  sum: Addresses | undefined;
}

/** An endpoint as it was published, so that it can be withdrawn without a search. */
interface EndpointRecord {
  readonly keys: readonly NameKey[];
  readonly addresses: readonly IpAddress[];
  /** The name of its PTR record, in the letters it was published in. */
  readonly firstName: string | undefined;
}

interface NetworkRecord {
  readonly names: Map<NameKey, NameRecord>;
  /** Owners in the order in which they came; the first answers PTR. */
  readonly reverse: Map<IpAddress, Set<Id>>;
  readonly endpoints: Map<Id, EndpointRecord>;
}

/**
 * The names and addresses of endpoints, network by network, in memory. A name may have several
 * owners, which share it, and an address too. What one change costs depends on the endpoint alone.
 */
export class NameTable {
  readonly #networks = new Map<Id, NetworkRecord>();

  /** Makes `endpoint` known in `network` by these names, in place of what it was known by before. */
  publish(network: Id, endpoint: Id, { names, addresses }: Publication): void {
    this.withdraw(network, endpoint);
    const record = this.#networks.get(network) ?? this.#add(network);
    const spelled = new Map<NameKey, string>();
    for (const name of names) {
      const key = nameKey(name);
      if (key !== undefined && !spelled.has(key)) spelled.set(key, name);
    }
    const keys = [...spelled.keys()];
    const [firstName] = spelled.values();
    record.endpoints.set(endpoint, { keys, addresses, firstName });
    for (const key of keys) addOwner(record.names, key, endpoint, addresses);
    for (const address of addresses) addReverse(record.reverse, address, endpoint);
  }

  /** Forgets `endpoint` in `network`; no harm when it is not there. */
  withdraw(network: Id, endpoint: Id): void {
    const record = this.#networks.get(network);
    const known = record?.endpoints.get(endpoint);
    if (record === undefined || known === undefined) return;
    record.endpoints.delete(endpoint);
    for (const key of known.keys) removeOwner(record.names, key, endpoint);
    for (const address of known.addresses) removeReverse(record.reverse, address, endpoint);
    if (record.endpoints.size === 0) this.#networks.delete(network);
  }

  /**
   * The addresses of `family` that `name` has in `network`, as bytes: empty when the name is known
   * but has none, undefined when it is not known.
   */
  addresses(network: Id, name: NameKey, family: Family): readonly Uint8Array[] | undefined {
    const record = this.#networks.get(network)?.names.get(name);
    if (record === undefined) return undefined;
    record.sum ??= sumUp(record.owners.values());
    return record.sum[family];
  }

  /** The first name of the endpoint that has had `address` for longest; undefined when it has no owner or name. */
  nameOf(network: Id, address: IpAddress): string | undefined {
    const record = this.#networks.get(network);
    for (const endpoint of record?.reverse.get(address) ?? []) {
      const name = record?.endpoints.get(endpoint)?.firstName;
      if (name !== undefined) return name;
    }
    return undefined;
  }

  /** How many networks have an endpoint, and how many endpoints there are in them. */
  get size(): { readonly networks: number; readonly endpoints: number } {
    let endpoints = 0;
    for (const record of this.#networks.values()) endpoints += record.endpoints.size;
    return { networks: this.#networks.size, endpoints };
  }

  #add(network: Id): NetworkRecord {
    const record: NetworkRecord = { names: new Map(), reverse: new Map(), endpoints: new Map() };
    this.#networks.set(network, record);
    return record;
  }
}

function addOwner(
  names: Map<NameKey, NameRecord>,
  key: NameKey,
  endpoint: Id,
  addresses: readonly IpAddress[],
): void {
  const record = names.get(key) ?? { owners: new Map(), sum: undefined };
  record.owners.set(endpoint, addresses);
  record.sum = undefined;
  names.set(key, record);
}

function removeOwner(names: Map<NameKey, NameRecord>, key: NameKey, endpoint: Id): void {
  const record = names.get(key);
  if (record === undefined) return;
  record.owners.delete(endpoint);
  record.sum = undefined;
  if (record.owners.size === 0) names.delete(key);
}

function addReverse(reverse: Map<IpAddress, Set<Id>>, address: IpAddress, endpoint: Id): void {
  const owners = reverse.get(address);
  if (owners === undefined) reverse.set(address, new Set([endpoint]));
  else owners.add(endpoint);
}

function removeReverse(reverse: Map<IpAddress, Set<Id>>, address: IpAddress, endpoint: Id): void {
  const owners = reverse.get(address);
  owners?.delete(endpoint);
  if (owners?.size === 0) reverse.delete(address);
}

function sumUp(owned: Iterable<readonly IpAddress[]>): Addresses {
  const all = new Set<IpAddress>();
  for (const addresses of owned) for (const address of addresses) all.add(address);
  const sum: Record<Family, Uint8Array[]> = { 4: [], 6: [] };
  for (const address of all) sum[familyOf(address)].push(addressToBytes(address));
  return sum;
}
