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
 * A driver in this process. It touches nothing: its verbs check and answer, its plans are pure
 * functions of the records, and the reconciler does the work.
 */
export abstract class NativeDriver implements Driver {
  abstract readonly name: string;
  abstract readonly capabilities: DriverCapabilities;

  abstract checkNetwork(network: Omit<DriverNetwork, "pools" | "answer" | "id">): AddressingNeeds;

  abstract planNetwork(network: DriverNetwork): readonly Wanted[];

  abstract planEndpoint(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    join: DriverJoin,
    answer: JoinAnswer,
  ): readonly Wanted[];

  async createNetwork(
    _network: Omit<DriverNetwork, "answer">,
    _others: readonly DriverNetwork[],
  ): Promise<NetworkAnswer> {
    return {};
  }

  async deleteNetwork(_network: DriverNetwork): Promise<void> {}

  async createEndpoint(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<EndpointAnswer> {
    return {};
  }

  async deleteEndpoint(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async join(
    _network: DriverNetwork,
    _endpoint: DriverEndpoint,
    _sandbox: Pick<DriverJoin, "sandboxId" | "netns">,
  ): Promise<JoinAnswer> {
    return { gateways: [], staticRoutes: [], disableGatewayService: true };
  }

  async leave(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async programExternalConnectivity(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async revokeExternalConnectivity(_network: DriverNetwork, _endpoint: DriverEndpoint): Promise<void> {}

  async endpointInfo(
    _network: DriverNetwork,
    _endpoint: DriverEndpoint,
  ): Promise<Readonly<Record<string, unknown>>> {
    return {};
  }
}
