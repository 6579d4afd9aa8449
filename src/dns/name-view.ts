import type { Family, Id, IpAddress } from "../core/index.ts";
import { type NameKey, nameKey } from "./name.ts";
import type { NameTable } from "./name-table.ts";

/** A network as a sandbox sees it. */
export interface NetworkRef {
  readonly id: Id;
  /** What people call it; `<name>.<network>` asks in this network alone. */
  readonly name: string;
}

/** A name that one sandbox alone has for a name in one of its networks (`--link`). */
export interface NameLink {
  readonly alias: string;
  readonly network: Id;
  /** Whatever bears it when the alias is asked for is meant, so that a link outlives its target's restart. */
  readonly name: string;
}

/** The names that one sandbox can see. */
export interface NameView {
  /**
   * The addresses of `family` that a name stands for, as bytes: empty when it is known and has none,
   * undefined when it is not known.
   */
  addresses(name: NameKey, family: Family): readonly Uint8Array[] | undefined;
  /** The names for an address, best first; none when it is not known. */
  pointers(address: IpAddress): readonly string[];
  /** True when `name` is the name of one of the networks, or lies under it. */
  underNetwork(name: NameKey): boolean;
}

/** A link, by what its name is looked up by. */
interface LinkTarget {
  readonly network: Id;
  readonly key: NameKey;
}

/** The networks of one name, in their order. */
interface ScopedNetwork {
  readonly ids: readonly Id[];
  readonly key: NameKey;
  readonly suffix: string;
}

/**
 * A view of `table` through `networks`, which are in the order in which they may become the gateway.
 * A name is looked up whole in each network first; then labels are taken off its right end as long
 * as they name a network, the shortest first, so that `web.my.net` finds `web.my` in `net` before
 * `web` in `my.net`. Of several networks in one such step the first with an address of the family
 * wins; a step in which the name is known without one ends the search.
 *
 * `links` are looked at first in each step. One stands for its name while that is known in its network, and
 * hides the network's own names of the alias's spelling; links do not lead to links.
 */
export function createView(
  table: NameTable,
  networks: readonly NetworkRef[],
  links: readonly NameLink[] = [],
): NameView {
  const ids = networks.map(({ id }) => id);
  const scopes = scopesOf(networks);
  const lookUp = links.length === 0 ? namesOf(table) : linksAndNamesOf(table, ids, links);
  return {
    addresses(name, family) {
      const whole = lookUp(ids, name, family);
      return whole ?? scopedAddresses(lookUp, scopes, name, family);
    },
    pointers(address) {
      for (const { id, name: network } of networks) {
        const name = table.nameOf(id, address);
        if (name !== undefined) return [`${name}.${network}`, name];
      }
      return [];
    },
    underNetwork: (name) => scopes.some(({ key, suffix }) => name === key || name.endsWith(suffix)),
  };
}

/** The networks that names can be scoped by, those with the shortest name first. */
function scopesOf(networks: readonly NetworkRef[]): readonly ScopedNetwork[] {
  const byKey = new Map<NameKey, Id[]>();
  for (const { id, name } of networks) {
    const key = nameKey(name);
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), id]);
  }
  return [...byKey]
    .map(([key, ids]) => ({ ids, key, suffix: `.${key}` }))
    .sort((a, b) => a.key.length - b.key.length);
}

/** The addresses of a name in the first of the networks that has any; empty when none of those that know it has. */
type LookUp = (networks: readonly Id[], name: NameKey, family: Family) => readonly Uint8Array[] | undefined;

function namesOf(table: NameTable): LookUp {
  return (networks, name, family) => {
    let found: readonly Uint8Array[] | undefined;
    for (const id of networks) {
      const addresses = table.addresses(id, name, family);
      if (addresses === undefined) continue;
      if (addresses.length > 0) return addresses;
      found = addresses;
    }
    return found;
  };
}

function linksAndNamesOf(table: NameTable, order: readonly Id[], links: readonly NameLink[]): LookUp {
  const names = namesOf(table);
  const byAlias = linksByAlias(order, links);
  return (networks, name, family) => {
    let found: readonly Uint8Array[] | undefined;
    for (const { network, key } of byAlias.get(name) ?? []) {
      if (!networks.includes(network)) continue;
      const addresses = table.addresses(network, key, family);
      if (addresses === undefined) continue;
      if (addresses.length > 0) return addresses;
      found = addresses;
    }
    return found ?? names(networks, name, family);
  };
}

/** The links of each alias, in the order of their networks. */
function linksByAlias(
  order: readonly Id[],
  links: readonly NameLink[],
): ReadonlyMap<NameKey, readonly LinkTarget[]> {
  const byAlias = new Map<NameKey, LinkTarget[]>();
  const sorted = [...links].sort((a, b) => order.indexOf(a.network) - order.indexOf(b.network));
  for (const { alias, network, name } of sorted) {
    const [aliasKey, key] = [nameKey(alias), nameKey(name)];
    if (aliasKey === undefined || key === undefined) continue; // nobody could ask for one, or bear the other
    byAlias.set(aliasKey, [...(byAlias.get(aliasKey) ?? []), { network, key }]);
  }
  return byAlias;
}

function scopedAddresses(
  lookUp: LookUp,
  scopes: readonly ScopedNetwork[],
  name: NameKey,
  family: Family,
): readonly Uint8Array[] | undefined {
  for (const { ids, suffix } of scopes) {
    if (!name.endsWith(suffix)) continue;
    const found = lookUp(ids, name.slice(0, -suffix.length), family);
    if (found !== undefined) return found;
  }
  return undefined;
}
