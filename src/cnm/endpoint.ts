import {
  addressPart,
  familyOf,
  type Id,
  type InterfaceAddress,
  type IpAddress,
  type MacAddress,
} from "../core/index.ts";
import { type Context, driverOf, networkOf } from "./context.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { deleteEndpoint, endpointOf } from "./endpoint-operations.ts";
import { type JoinOptions, joinSandbox } from "./join-operations.ts";
import { leaveSandbox } from "./leave-operations.ts";
import type { EndpointRecord } from "./records.ts";

/** What can be told about an endpoint. */
export interface EndpointInfo {
  readonly id: Id;
  readonly name: string;
  readonly network: Id;
  readonly macAddress: MacAddress | undefined;
  readonly ipv4Address: InterfaceAddress | undefined;
  readonly ipv6Address: InterfaceAddress | undefined;
  readonly linkLocalAddresses: readonly InterfaceAddress[];
  /** The gateways that the endpoint offers its sandbox; none while it is in none. */
  readonly gateways: readonly IpAddress[];
  readonly sandbox: Id | undefined;
  /** The interface in the sandbox. */
  readonly interfaceName: string | undefined;
  readonly aliases: readonly string[];
  /** What the driver tells. */
  readonly driverInfo: Readonly<Record<string, unknown>>;
}

/** An endpoint: a network's interface, whether it is in a sandbox or not yet. A handle, as Network is. */
export class Endpoint {
  readonly id: Id;
  readonly name: string;
  readonly networkId: Id;
  readonly #context: Context;

  constructor(context: Context, { id, name, network }: EndpointRecord) {
    this.#context = context;
    this.id = id;
    this.name = name;
    this.networkId = network;
  }

  /** What the endpoint is: what was asked for and what was allocated. Throws ENDPOINT_NOT_FOUND. */
  record(): EndpointRecord {
    return endpointOf(this.#context, this.id);
  }

  /** Everything about the endpoint. Throws ENDPOINT_NOT_FOUND. */
  async info(): Promise<EndpointInfo> {
    const record = endpointOf(this.#context, this.id);
    const network = networkOf(this.#context, record.network);
    const { id, name, macAddress, aliases } = record;
    const join = record.join?.leaving === true ? undefined : record.join;
    const addresses = record.addresses.map(({ address }) => address);
    return {
      id,
      name,
      network: network.id,
      macAddress,
      ipv4Address: addresses.find((address) => familyOf(addressPart(address)) === 4),
      ipv6Address: addresses.find((address) => familyOf(addressPart(address)) === 6),
      linkLocalAddresses: record.linkLocal ?? [],
      gateways: join?.answer?.gateways ?? [],
      sandbox: join?.sandbox,
      interfaceName: join?.ifname,
      aliases,
      driverInfo: await driverOf(this.#context, network.driver).endpointInfo(
        driverNetwork(network),
        driverEndpoint(record),
      ),
    };
  }

  /** Puts the endpoint into a sandbox; see {@link joinSandbox} for what it throws. */
  async join(sandbox: { readonly id: Id }, options: JoinOptions = {}): Promise<void> {
    await this.#context.operations.run(
      () => joinSandbox(this.#context, { id: this.id, network: this.networkId }, sandbox.id, options),
      "endpoint join",
    );
  }

  /** Takes the endpoint out of its sandbox; see {@link leaveSandbox}. */
  async leave(): Promise<void> {
    await this.#context.operations.run(
      () => leaveSandbox(this.#context, { id: this.id, network: this.networkId }),
      "endpoint leave",
    );
  }

  /** Deletes the endpoint; with `force` it leaves its sandbox first. Throws ENDPOINT_JOINED, ENDPOINT_NOT_FOUND. */
  async delete({ force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.#context.operations.run(async () => {
      const endpoint = endpointOf(this.#context, this.id);
      const { join } = endpoint;
      if (force && join !== undefined && join.leaving !== true) await leaveSandbox(this.#context, endpoint);
      await deleteEndpoint(this.#context, endpoint);
    }, "endpoint delete");
  }
}
