import type { EndpointConfig } from "../../api/index.ts";
import type { Controller, Endpoint } from "../../cnm/index.ts";
import { type Id, WeftError } from "../../core/index.ts";
import { endpointOptions } from "./model-sandbox.ts";
import type { Openings } from "./openings.ts";
import type { SandboxBook } from "./sandbox-book.ts";
import type { SandboxRecord } from "./sandbox-record.ts";
import { refuseSharedNamespace } from "./sandbox-refusals.ts";

/** Which networks sandboxes are on, by their records and in the model. The caller holds the sandbox's lock. */
export class SandboxNetworks {
  readonly #controller: Controller;
  readonly #book: SandboxBook;
  readonly #openings: Openings;

  constructor(controller: Controller, book: SandboxBook, openings: Openings) {
    this.#controller = controller;
    this.#book = book;
    this.#openings = openings;
  }

  /** Puts a sandbox on a further network, whose name it gives. Throws ENDPOINT_EXISTS, INVALID_OPTION, and what the model refuses. */
  async connect(record: SandboxRecord, endpoint: EndpointConfig): Promise<string> {
    const network = this.#controller.network(endpoint.Network);
    refuseSharedNamespace(record);
    const sandbox = this.#openings.get(record.id);
    const already = record.networks.some((one) => this.#isNetwork(one.Network, network.id));
    if (already) {
      throw new WeftError(
        "ENDPOINT_EXISTS",
        `endpoint with name ${record.name} already exists in network ${network.name}`,
      );
    }
    const networks = [...record.networks, { ...endpoint, Network: network.name }];
    if (sandbox === undefined) this.#openings.check({ ...record, networks });
    const joined = await sandbox?.connect(network, endpointOptions(endpoint));
    try {
      await this.#book.put({ ...this.#book.need(record.id), networks });
    } catch (error) {
      await joined?.delete({ force: true });
      throw error;
    }
    return network.name;
  }

  /** Takes a sandbox off a network, whose name it gives. Throws ENDPOINT_NOT_FOUND, INVALID_OPTION for the host's. */
  async disconnect(record: SandboxRecord, networkReference: string): Promise<string> {
    const network = this.#controller.network(networkReference);
    const networks = record.networks.filter((one) => !this.#isNetwork(one.Network, network.id));
    if (networks.length === record.networks.length) {
      throw new WeftError(
        "ENDPOINT_NOT_FOUND",
        `sandbox ${record.name} is not connected to network ${network.name}`,
      );
    }
    if (record.config.NetworkMode === "host") {
      throw new WeftError(
        "INVALID_OPTION",
        "cannot disconnect container from host network - container was created in host network mode",
      );
    }
    await this.#book.put({ ...record, networks });
    const endpoints = this.#openings.get(record.id)?.endpoints() ?? [];
    for (const endpoint of endpoints)
      if (endpoint.networkId === network.id) await endpoint.delete({ force: true });
    return network.name;
  }

  /** Removes endpoints that the record does not know: their connecting was cut off, or their disconnecting. */
  async removeUnanswered(record: SandboxRecord): Promise<void> {
    for (const endpoint of this.#openings.get(record.id)?.endpoints() ?? []) {
      if (record.networks.some((one) => this.#isNetwork(one.Network, endpoint.networkId))) continue;
      await endpoint.delete({ force: true });
    }
  }

  /** Endpoints that have left their sandboxes, and were about to be deleted: nobody knows of them any more. */
  unjoined(): readonly { readonly endpoint: Endpoint; readonly network: string }[] {
    return this.#controller.networks().flatMap((network) =>
      network
        .endpoints()
        .filter((endpoint) => {
          const { join } = endpoint.record();
          return join === undefined || join.leaving === true;
        })
        .map((endpoint) => ({ endpoint, network: network.name })),
    );
  }

  #isNetwork(reference: string, id: Id): boolean {
    try {
      return this.#controller.network(reference).id === id;
    } catch {
      return false; // it was removed while the sandbox was closed
    }
  }
}
