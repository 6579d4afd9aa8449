import type {
  Created,
  Filters,
  NetworkConnect,
  NetworkCreate,
  NetworkDisconnect,
  Network as NetworkDocument,
  PruneReport,
} from "../../api/index.ts";
import type { Controller, Network, NetworkRecord } from "../../cnm/index.ts";
import { type Clock, type Id, isWeftError } from "../../core/index.ts";
import type { NewEvent } from "../event-log.ts";
import { type FilterKeys, filterBy, hasLabel, parseFlag } from "../listing-filters.ts";
import type { SandboxBook } from "../sandboxes/sandbox-book.ts";
import type { SandboxKeeper } from "../sandboxes/sandbox-keeper.ts";
import { parseUntil } from "../time-text.ts";
import { networkOptions } from "./network-requests.ts";
import { containersView, networkView, parentView } from "./network-view.ts";

/** Networks that there are on every host, and that nobody removes. */
const predefined = new Set(["bridge", "host", "none"]);

/** What networks are served with. */
export interface HostNetworksInit {
  readonly controller: Controller;
  readonly book: SandboxBook;
  readonly keeper: SandboxKeeper;
  readonly clock: Pick<Clock, "now">;
  readonly tell: (event: NewEvent) => void;
}

/** A host's networks as its clients see and change them. */
export class HostNetworks {
  readonly #init: HostNetworksInit;

  constructor(init: HostNetworksInit) {
    this.#init = init;
  }

  /** Makes a network. */
  async create(request: NetworkCreate): Promise<Created> {
    const { controller } = this.#init;
    const network = await controller.createNetwork(request.Driver, request.Name, networkOptions(request));
    this.#tell("create", network);
    return { Id: network.id, Warnings: [] };
  }

  /** Those that pass the filters, in the order in which they were made. */
  list(filters: Filters): readonly NetworkDocument[] {
    const passes = filterBy(filters, this.#filterKeys());
    return this.#init.controller
      .networks()
      .map((network) => network.info())
      .filter(passes)
      .map(networkView);
  }

  /** One network with its endpoints; `verbose` adds the host's link and how many addresses are in use. */
  async inspect(reference: string, { verbose }: { readonly verbose: boolean }): Promise<NetworkDocument> {
    const { controller } = this.#init;
    const network = controller.network(reference);
    const Containers = containersView(network, (id) => this.#sandboxOf(id));
    const { interfaceName, parent, pools } = network.status();
    const view = {
      ...networkView(network.info()),
      Containers,
      ...(parent === undefined ? {} : { Parent: parentView(parent) }),
    };
    if (!verbose) return view;
    return {
      ...view,
      ...(interfaceName === undefined ? {} : { Interface: interfaceName }),
      IPAMStatus: pools.map(({ pool, inUse, available }) => ({
        Subnet: pool,
        AddressesInUse: Number(inUse),
        AddressesFree: String(available),
      })),
    };
  }

  /** Removes a network. */
  async remove(reference: string): Promise<void> {
    const network = this.#init.controller.network(reference);
    await network.delete();
    this.#tell("destroy", network);
  }

  /** Removes the networks of a person's making that nobody is on, and no stopped sandbox asks for. */
  async prune(filters: Filters): Promise<PruneReport> {
    const { controller, book, clock } = this.#init;
    const passes = filterBy<NetworkRecord>(filters, {
      label: ({ labels }, value) => hasLabel(labels, value),
      until: ({ created }, value) => created < parseUntil(value, clock.now()),
    });
    const asked = new Set([...book.all()].flatMap(({ networks }) => networks.map(({ Network }) => Network)));
    const NetworksDeleted: string[] = [];
    for (const network of controller.networks()) {
      if (predefined.has(network.name) || !passes(network.info())) continue;
      if (asked.has(network.name) || asked.has(network.id) || network.endpoints().length > 0) continue;
      try {
        await this.remove(network.id);
        NetworksDeleted.push(network.name);
      } catch (error) {
        // Somebody has come to use it, or has removed it.
        if (!isWeftError(error, "NETWORK_HAS_ENDPOINTS") && !isWeftError(error, "NETWORK_NOT_FOUND"))
          throw error;
      }
    }
    return { NetworksDeleted };
  }

  /** Puts a sandbox on a network. */
  async connect(reference: string, { Sandbox, ...endpoint }: NetworkConnect): Promise<void> {
    const network = this.#init.controller.network(reference);
    await this.#init.keeper.connect(Sandbox, { ...endpoint, Network: network.name });
    this.#tell("connect", network, { sandbox: Sandbox });
  }

  /** Takes a sandbox off a network; with `Force`, one that is not there any more is no error. */
  async disconnect(reference: string, { Sandbox, Force }: NetworkDisconnect): Promise<void> {
    const network = this.#init.controller.network(reference);
    try {
      await this.#init.keeper.disconnect(Sandbox, network.id);
    } catch (error) {
      const gone = isWeftError(error, "SANDBOX_NOT_FOUND") || isWeftError(error, "ENDPOINT_NOT_FOUND");
      if (!Force || !gone) throw error;
      return;
    }
    this.#tell("disconnect", network, { sandbox: Sandbox });
  }

  #filterKeys(): FilterKeys<NetworkRecord> {
    const dangling = (record: NetworkRecord) =>
      !predefined.has(record.name) && this.#init.controller.network(record.id).endpoints().length === 0;
    return {
      driver: ({ driver }, value) => driver === value,
      id: ({ id }, value) => id.startsWith(value),
      label: ({ labels }, value) => hasLabel(labels, value),
      name: ({ name }, value) => name.includes(value),
      scope: (_record, value) => value === "local",
      type: ({ name }, value) => (value === "builtin") === predefined.has(name),
      dangling: (record, value) => dangling(record) === parseFlag("dangling", value),
    };
  }

  #sandboxOf(id: Id): { readonly id: string; readonly name: string } | undefined {
    const { controller, book } = this.#init;
    const { containerId } = controller.sandbox(id);
    return book.isTaken(containerId) ? book.find(containerId) : undefined;
  }

  #tell(
    Action: string,
    { id, name, driver }: Pick<Network, "id" | "name" | "driver">,
    facts: Readonly<Record<string, string>> = {},
  ): void {
    this.#init.tell({
      Type: "network",
      Action,
      Actor: { Id: id, Name: name, Attributes: { driver, network: name, ...facts } },
    });
  }
}
