import type { Id } from "../core/index.ts";
import { type Context, networkOf } from "./context.ts";
import { Endpoint } from "./endpoint.ts";
import { createEndpoint, type EndpointOptions } from "./endpoint-operations.ts";
import { deleteNetwork } from "./network-operations.ts";
import type { NetworkRecord } from "./records.ts";

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
