import { findByPrefix, type Id, WeftError } from "../core/index.ts";
import type { StoreReader, Transaction } from "../store/index.ts";
import type { EndpointRecord, LifeState, NetworkRecord, SandboxRecord } from "./records.ts";

/** Records of one kind, in memory and in a folder of the store. The store holds the truth. */
export class Table<R extends { readonly id: Id }> {
  readonly #folder: string;
  readonly #records = new Map<Id, R>();

  /** `folder` ends in a slash. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads every record of the store. */
  load(reader: StoreReader): void {
    for (const { value } of reader.range(this.#folder)) {
      const record = value as R; // only put() writes into the folder
      this.#records.set(record.id, record);
    }
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: Id): R | undefined {
    return this.#records.get(id);
  }

  all(): Iterable<R> {
    return this.#records.values();
  }

  ids(): Iterable<Id> {
    return this.#records.keys();
  }

  /** Writes a record into a transaction; {@link set} makes it visible once that is durable. */
  put(transaction: Transaction, record: R): void {
    transaction.put(this.#folder + record.id, record);
  }

  /** Whether the record is in the store, or as a transaction finds it there. */
  isIn(store: StoreReader, id: Id): boolean {
    return store.get(this.#folder + id) !== undefined;
  }

  /** Changes the record as a transaction finds it; nothing when it is gone or `change` gives undefined. */
  change(transaction: Transaction, id: Id, change: (record: R) => R | undefined): void {
    const record = transaction.get(this.#folder + id) as R | undefined; // only put() writes into the folder
    const changed = record === undefined ? undefined : change(record);
    if (changed !== undefined) this.put(transaction, changed);
  }

  delete(transaction: Transaction, id: Id): void {
    transaction.delete(this.#folder + id);
  }

  set(record: R): void {
    this.#records.set(record.id, record);
  }

  remove(id: Id): void {
    this.#records.delete(id);
  }
}

/** Records that have a state; a transaction that comes late finds them changed or gone, and leaves that alone. */
class LivingTable<R extends { readonly id: Id; readonly state: LifeState }> extends Table<R> {
  /** Writes that a record is ready, if it is still being made. */
  putReady(transaction: Transaction, id: Id): void {
    this.change(transaction, id, (record) =>
      record.state === "creating" ? { ...record, state: "ready" } : undefined,
    );
  }
}

class EndpointTable extends LivingTable<EndpointRecord> {
  /** Writes that an endpoint is in no sandbox any more. */
  putLeft(transaction: Transaction, id: Id): void {
    this.change(transaction, id, (record) => ({
      ...record,
      state: record.state === "creating" ? "ready" : record.state,
      join: undefined,
    }));
  }
}

/** All records, with the indexes that lookups need so that none of them walks over all networks. */
export class Tables {
  readonly networks = new LivingTable<NetworkRecord>("networks/");
  readonly endpoints = new EndpointTable("endpoints/");
  readonly sandboxes = new LivingTable<SandboxRecord>("sandboxes/");
  readonly #networkNames = new Map<string, Id>();
  readonly #containers = new Map<string, Id>();
  readonly #ofNetwork = new Map<Id, Map<string, Id>>();
  readonly #ofSandbox = new Map<Id, Set<Id>>();

  /** Fills everything from the store. */
  load(reader: StoreReader): void {
    this.networks.load(reader);
    this.endpoints.load(reader);
    this.sandboxes.load(reader);
    for (const network of this.networks.all())
      if (network.state !== "deleting") this.claimNetworkName(network.name, network.id);
    for (const sandbox of this.sandboxes.all())
      if (sandbox.state !== "deleting") this.claimContainer(sandbox.containerId, sandbox.id);
    for (const endpoint of this.endpoints.all()) this.#index(endpoint);
  }

  /** Takes a network's name. Throws NETWORK_EXISTS. */
  claimNetworkName(name: string, id: Id): void {
    if (this.#networkNames.has(name))
      throw new WeftError("NETWORK_EXISTS", `network with name ${name} already exists`);
    this.#networkNames.set(name, id);
  }

  freeNetworkName(name: string): void {
    this.#networkNames.delete(name);
  }

  /** Takes a container's id. Throws SANDBOX_EXISTS. */
  claimContainer(containerId: string, id: Id): void {
    if (this.#containers.has(containerId))
      throw new WeftError("SANDBOX_EXISTS", `a sandbox for container ${containerId} already exists`);
    this.#containers.set(containerId, id);
  }

  freeContainer(containerId: string, id: Id): void {
    if (this.#containers.get(containerId) === id) this.#containers.delete(containerId);
  }

  /** Takes an endpoint's name in its network. Throws ENDPOINT_EXISTS. */
  claimEndpointName(network: NetworkRecord, name: string, id: Id): void {
    const names = this.#ofNetwork.get(network.id) ?? new Map<string, Id>();
    if (names.has(name))
      throw new WeftError(
        "ENDPOINT_EXISTS",
        `endpoint with name ${name} already exists in network ${network.name}`,
      );
    names.set(name, id);
    this.#ofNetwork.set(network.id, names);
  }

  freeEndpointName(network: Id, name: string): void {
    const names = this.#ofNetwork.get(network);
    names?.delete(name);
    if (names?.size === 0) this.#ofNetwork.delete(network);
  }

  /** Makes an endpoint's record visible, and follows it into and out of sandboxes. */
  setEndpoint(record: EndpointRecord): void {
    this.#unindexSandbox(record.id);
    this.endpoints.set(record);
    this.#indexSandbox(record);
  }

  removeEndpoint(id: Id): void {
    this.#unindexSandbox(id);
    this.endpoints.remove(id);
  }

  /** The network's endpoints that are not on their way out, by name. */
  endpointsOf(network: Id): ReadonlyMap<string, Id> {
    return this.#ofNetwork.get(network) ?? new Map();
  }

  /** The endpoints in a sandbox that are not leaving it, in the order in which they joined. */
  endpointsIn(sandbox: Id): readonly EndpointRecord[] {
    const ids = [...(this.#ofSandbox.get(sandbox) ?? [])];
    const records = ids.flatMap((id) => {
      const record = this.endpoints.get(id);
      return record === undefined || record.join?.leaving === true ? [] : [record];
    });
    return records.sort((a, b) => (a.join?.order ?? 0) - (b.join?.order ?? 0));
  }

  /** The network that weft itself made under that name. */
  predefined(name: string): NetworkRecord | undefined {
    const id = this.#networkNames.get(name);
    const record = id === undefined ? undefined : this.networks.get(id);
    return record?.predefined === true && record.state !== "deleting" ? record : undefined;
  }

  /** Finds by exact id, then by name, then by unique prefix of an id, as Docker does. Throws NETWORK_NOT_FOUND, AMBIGUOUS_ID. */
  findNetwork(nameOrId: string): NetworkRecord {
    const id = this.#findId(nameOrId, this.networks, this.#networkNames);
    // Docker's other name for the network bridge.
    const other = nameOrId === "default" ? this.predefined("bridge") : undefined;
    const record = id === undefined ? other : this.networks.get(id);
    if (record === undefined || record.state === "deleting") {
      throw new WeftError("NETWORK_NOT_FOUND", `network ${nameOrId} not found`);
    }
    return record;
  }

  /** Finds by sandbox id, container id, or prefix of a sandbox id. Throws SANDBOX_NOT_FOUND, AMBIGUOUS_ID. */
  findSandbox(idOrContainer: string): SandboxRecord {
    const id = this.#findId(idOrContainer, this.sandboxes, this.#containers);
    const record = id === undefined ? undefined : this.sandboxes.get(id);
    if (record === undefined || record.state === "deleting") {
      throw new WeftError("SANDBOX_NOT_FOUND", `sandbox ${idOrContainer} not found`);
    }
    return record;
  }

  /** Finds in one network, by id, name or prefix. Throws ENDPOINT_NOT_FOUND, AMBIGUOUS_ID. */
  findEndpoint(network: NetworkRecord, nameOrId: string): EndpointRecord {
    const names = this.endpointsOf(network.id);
    const id =
      [...names.values()].find((one) => one === nameOrId) ??
      names.get(nameOrId) ??
      findByPrefix(names.values(), nameOrId);
    const record = id === undefined ? undefined : this.endpoints.get(id);
    if (record === undefined)
      throw new WeftError("ENDPOINT_NOT_FOUND", `endpoint ${nameOrId} not found in network ${network.name}`);
    return record;
  }

  #findId(
    text: string,
    table: Table<NetworkRecord> | Table<SandboxRecord>,
    names: ReadonlyMap<string, Id>,
  ): Id | undefined {
    const exact = text as Id; // only looked up; a text that is no id is in no table
    if (table.get(exact) !== undefined) return exact;
    return names.get(text) ?? findByPrefix(names.values(), text);
  }

  #index(endpoint: EndpointRecord): void {
    if (endpoint.state !== "deleting") {
      const network = this.networks.get(endpoint.network);
      if (network !== undefined) this.claimEndpointName(network, endpoint.name, endpoint.id);
    }
    this.#indexSandbox(endpoint);
  }

  #indexSandbox({ id, join }: EndpointRecord): void {
    if (join === undefined) return;
    const ids = this.#ofSandbox.get(join.sandbox);
    if (ids === undefined) this.#ofSandbox.set(join.sandbox, new Set([id]));
    else ids.add(id);
  }

  #unindexSandbox(id: Id): void {
    const sandbox = this.endpoints.get(id)?.join?.sandbox;
    if (sandbox === undefined) return;
    const ids = this.#ofSandbox.get(sandbox);
    ids?.delete(id);
    if (ids?.size === 0) this.#ofSandbox.delete(sandbox);
  }
}
