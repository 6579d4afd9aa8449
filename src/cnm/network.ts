import type { Id, Prefix } from "../core/index.ts";
import type { ParentAnswer, Underlay } from "../drivers/index.ts";
import type { PoolStatus } from "../ipam/index.ts";
import { hostNetns } from "../kernel/index.ts";
import { type Context, driverOf, networkOf } from "./context.ts";
import { driverNetwork } from "./driver-views.ts";
import { Endpoint } from "./endpoint.ts";
import { createEndpoint, type EndpointOptions } from "./endpoint-operations.ts";
import { deleteNetwork } from "./network-operations.ts";
import { planNetwork } from "./plans.ts";
import type { NetworkRecord } from "./records.ts";

/** What a network has of the host and of its pools. */
export interface NetworkStatus {
  /** The host's link that is the network's, such as a bridge. */
  readonly interfaceName: string | undefined;
  /** What it is built on, as it was found last; undefined for a network that is built on no link of the host. */
  readonly parent: ParentAnswer | undefined;
  /** How many addresses are taken, and free to be chosen, in pools of the builtin IPAM driver. */
  readonly pools: readonly (PoolStatus & { readonly pool: Prefix })[];
}

/** A network. A handle: what it tells is read when it is asked, and it throws NETWORK_NOT_FOUND once the network is gone. */
export class Network {
  readonly id: Id;
  readonly name: string;
  readonly driver: string;
  readonly #context: Context;

  constructor(context: Context, { id, name, driver }: NetworkRecord) {
    this.#context = context;
    this.id = id;
    this.name = name;
    this.driver = driver;
  }

  /** What the network is: what was asked for and what was allocated. Throws NETWORK_NOT_FOUND. */
  info(): NetworkRecord {
    return networkOf(this.#context, this.id);
  }

  /** What of the host and of its pools the network has now. Throws NETWORK_NOT_FOUND. */
  status(): NetworkStatus {
    const record = this.info();
    const driver = driverOf(this.#context, record.driver);
    const wanted = planNetwork(driver, record);
    const link = wanted.find(({ object }) => object.kind === "link" && object.netns === hostNetns)?.object;
    return {
      interfaceName: link?.kind === "link" ? link.name : undefined,
      parent: record.configOnly ? undefined : driver.parentUse?.(driverNetwork(record))?.parent,
      pools: record.pools.flatMap(({ pool, poolId }) => {
        const usage = this.#context.poolUsage(record.ipamDriver, poolId);
        return usage === undefined ? [] : [{ pool, ...usage }];
      }),
    };
  }

  /** Where the network meets the wire; undefined when it does not. Throws NETWORK_NOT_FOUND. */
  underlay(): Underlay | undefined {
    const record = this.info();
    if (record.configOnly) return undefined;
    return driverOf(this.#context, record.driver).underlay?.(driverNetwork(record));
  }

  /** True while a sandbox is on the network. */
  get joined(): boolean {
    return this.endpoints().some(({ id }) => {
      const join = this.#context.tables.endpoints.get(id)?.join;
      return join !== undefined && join.leaving !== true;
    });
  }

  /** Makes an endpoint; see {@link createEndpoint} for what it throws. */
  async createEndpoint(name: string, options: EndpointOptions = {}): Promise<Endpoint> {
    const { operations } = this.#context;
    const record = await operations.run(
      () => createEndpoint(this.#context, this.id, name, options),
      "endpoint create",
    );
    return new Endpoint(this.#context, record);
  }

  /** An endpoint by name, id or unique beginning of its id. Throws ENDPOINT_NOT_FOUND, AMBIGUOUS_ID. */
  endpoint(nameOrId: string): Endpoint {
    return new Endpoint(this.#context, this.#context.tables.findEndpoint(this.info(), nameOrId));
  }

  /** The network's endpoints, by name. */
  endpoints(): readonly Endpoint[] {
    const { tables } = this.#context;
    return [...tables.endpointsOf(this.id).values()].flatMap((id) => {
      const record = tables.endpoints.get(id);
      return record === undefined ? [] : [new Endpoint(this.#context, record)];
    });
  }

  /** Deletes the network; see {@link deleteNetwork} for when, and for what it throws. */
  async delete(): Promise<void> {
    await this.#context.operations.run(() => deleteNetwork(this.#context, this), "network delete");
  }
}
