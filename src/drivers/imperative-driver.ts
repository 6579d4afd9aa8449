import { WeftError } from "../core/index.ts";
import type { KernelObject } from "../kernel/index.ts";
import type { Wanted } from "../plan/index.ts";
import type {
  AddressingNeeds,
  Driver,
  DriverCapabilities,
  DriverEndpoint,
  DriverJoin,
  DriverNetwork,
  EndpointAnswer,
  JoinAnswer,
  NetworkAnswer,
} from "./contract.ts";

/**
 * A driver whose verbs do work elsewhere, as a plugin in another process does. It makes a link in the
 * host's namespace and answers its name to {@link Driver.join}; weft moves that into the sandbox under
 * the interface's name, with the endpoint's addresses, and gives it back before {@link Driver.leave}.
 */
export abstract class ImperativeDriver implements Driver {
  abstract readonly name: string;

  readonly capabilities: DriverCapabilities = {
    scope: "local",
    connectivityScope: "local",
    needsAddresses: true,
    single: false,
    names: true,
    hostNetns: false,
    imperative: true,
  };

  abstract createNetwork(
    network: Omit<DriverNetwork, "answer">,
    others: readonly DriverNetwork[],
    signal?: AbortSignal,
  ): Promise<NetworkAnswer>;
  abstract deleteNetwork(network: DriverNetwork): Promise<void>;
  abstract createEndpoint(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    signal?: AbortSignal,
  ): Promise<EndpointAnswer>;
  abstract deleteEndpoint(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;
  abstract join(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    sandbox: Pick<DriverJoin, "sandboxId" | "netns">,
    signal?: AbortSignal,
  ): Promise<JoinAnswer>;
  abstract leave(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;

  /** What options mean is the driver's own to know, so none are refused here. */
  checkNetwork(_network: Omit<DriverNetwork, "pools" | "answer" | "id">): AddressingNeeds {
    return { skipGateway: [] };
  }

  async programExternalConnectivity(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async revokeExternalConnectivity(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async endpointInfo(
    _network: DriverNetwork,
    _endpoint: DriverEndpoint,
  ): Promise<Readonly<Record<string, unknown>>> {
    return {};
  }

  planNetwork(_network: DriverNetwork): readonly Wanted[] {
    return [];
  }

  planEndpoint(
    _network: DriverNetwork,
    endpoint: DriverEndpoint,
    join: DriverJoin,
    answer: JoinAnswer,
  ): readonly Wanted[] {
    const { netns, ifname } = join;
    if (answer.link === undefined)
      throw new WeftError("DRIVER_ANSWER", `driver ${this.name} named no link for endpoint ${endpoint.name}`);
    const objects: KernelObject[] = [
      {
        kind: "link",
        netns,
        name: ifname,
        spec: { type: "moved", from: answer.link },
        mac: endpoint.macAddress,
      },
      ...endpoint.addresses.map(
        (address): KernelObject => ({ kind: "address", netns, link: ifname, address }),
      ),
      { kind: "up", netns, link: ifname },
    ];
    return objects.map((object) => ({ object }));
  }
}
