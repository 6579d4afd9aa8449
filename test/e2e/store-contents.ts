import { join } from "node:path";
import { schema } from "../../src/cnm/schema.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "../../src/index.ts";
import { LmdbStore } from "../../src/store/index.ts";

/** What a controller's store holds. */
export interface StoreContents {
  readonly networks: readonly NetworkRecord[];
  readonly endpoints: readonly EndpointRecord[];
  readonly sandboxes: readonly SandboxRecord[];
  /** Every lease: its key, which names the address, and whose it is. */
  readonly leases: readonly { readonly key: string; readonly owner: string }[];
  /** Keys of everything else. */
  readonly others: readonly string[];
}

/** Reads the store below a root folder; no controller has it open. */
export async function readStore(root: string): Promise<StoreContents> {
  const store = await LmdbStore.open({ path: join(root, "store"), schema });
  try {
    const below = <T>(folder: string) => [...store.range(folder)].map(({ value }) => value as T); // src/cnm wrote it
    const leases = [...store.range("ipam/")].map(({ key, value }) => ({
      key,
      owner: (value as { readonly owner: string }).owner, // src/ipam/ledger.ts wrote it
    }));
    const known = ["networks/", "endpoints/", "sandboxes/", "ipam/"];
    const keys = [...store.range("")].map(({ key }) => key);
    return {
      networks: below<NetworkRecord>("networks/"),
      endpoints: below<EndpointRecord>("endpoints/"),
      sandboxes: below<SandboxRecord>("sandboxes/"),
      leases,
      others: keys.filter((key) => !known.some((folder) => key.startsWith(folder))),
    };
  } finally {
    await store.close();
  }
}

/** Addresses that nobody has, and addresses of endpoints that no lease speaks of. */
export function strayAddresses({ networks, endpoints, leases }: StoreContents): readonly string[] {
  const owners = new Set<string>([...networks, ...endpoints].map(({ id }) => id));
  const unowned = leases.filter(({ owner }) => !owners.has(owner)).map(({ key }) => `${key} is nobody's`);
  const held = new Set(leases.map(({ key, owner }) => `${owner} ${key.slice(key.lastIndexOf("/") + 1)}`));
  const unheld = endpoints.flatMap(({ id, name, addresses }) =>
    addresses
      .map(({ address }) => address.replace(/\/.*/, ""))
      .filter((address) => !held.has(`${id} ${address}`))
      .map((address) => `${address} of ${name} is not held`),
  );
  return [...unowned, ...unheld];
}
