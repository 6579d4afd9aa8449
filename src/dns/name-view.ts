import type { Family, Id, IpAddress } from "../core/index.ts";
import { type NameKey, nameKey } from "./name.ts";
import type { NameTable } from "./name-table.ts";

/** A network as a sandbox sees it. */
export interface NetworkRef {
  readonly id: Id;
  /** What people call it; `<name>.<network>` asks in this network alone. */
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

interface ScopedNetwork {
  readonly id: Id;
  readonly key: NameKey;
  readonly suffix: string;
}

/**
 * A view of `table` through `networks`, which are in the order in which they may become the gateway.
 * A name is looked up whole in each network first; then labels are taken off its right end as long
 * as they name a network, the shortest first, so that `web.my.net` finds `web.my` in `net` before
 * `web` in `my.net`. Of several networks in one such step the first with an address of the family
 * wins; a step in which the name is known without one ends the search.
 */
export function createView(table: NameTable, networks: readonly NetworkRef[]): NameView {
  const ids = networks.map(({ id }) => id);
  const scopes = scopesOf(networks);
  return {
    addresses(name, family) {
      const whole = firstWithAddress(table, ids, name, family);
      return whole ?? scopedAddresses(table, scopes, name, family);
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

/** The networks that names can be scoped by, those with the shortest name first, else in their order. */
function scopesOf(networks: readonly NetworkRef[]): readonly ScopedNetwork[] {
  return networks
    .flatMap(({ id, name }) => {
      const key = nameKey(name);
      return key === undefined ? [] : [{ id, key, suffix: `.${key}` }];
    })
    .sort((a, b) => a.key.length - b.key.length);
}

function firstWithAddress(
  table: NameTable,
  ids: readonly Id[],
  name: NameKey,
  family: Family,
): readonly Uint8Array[] | undefined {
  let found: readonly Uint8Array[] | undefined;
  for (const id of ids) {
    const addresses = table.addresses(id, name, family);
    if (addresses === undefined) continue;
    if (addresses.length > 0) return addresses;
    found = addresses;
  }
  return found;
}

function scopedAddresses(
  table: NameTable,
  scopes: readonly ScopedNetwork[],
  name: NameKey,
  family: Family,
): readonly Uint8Array[] | undefined {
  let found: readonly Uint8Array[] | undefined;
  let foundIn = "";
  for (const { id, suffix } of scopes) {
    if (!name.endsWith(suffix)) continue;
    if (found !== undefined && suffix !== foundIn) return found;
    const addresses = table.addresses(id, name.slice(0, -suffix.length), family);
    if (addresses === undefined) continue;
    if (addresses.length > 0) return addresses;
    found = addresses;
    foundIn = suffix;
  }
  return found;
}
