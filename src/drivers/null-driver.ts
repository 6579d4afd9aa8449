import type { Wanted } from "../plan/index.ts";
import type { AddressingNeeds, DriverCapabilities, DriverNetwork } from "./contract.ts";
import { NativeDriver } from "./native-driver.ts";
import { refuseUnknownOptions } from "./options.ts";

/** The driver of the network `none`: its sandboxes have their loopback interface and nothing else. */
export class NullDriver extends NativeDriver {
  readonly name: string = "null";
  readonly capabilities: DriverCapabilities = {
    scope: "local",
    connectivityScope: "local",
    needsAddresses: false,
    single: true,
    names: false,
    hostNetns: false,
    imperative: false,
  };

  checkNetwork(network: Pick<DriverNetwork, "options">): AddressingNeeds {
    refuseUnknownOptions(this.name, network.options, []);
    return { skipGateway: [4, 6] };
  }

  planNetwork(): readonly Wanted[] {
    return [];
  }

  planEndpoint(): readonly Wanted[] {
    return [];
  }
}

/** The driver of the network `host`: its sandboxes use the host's own namespace and all of its interfaces. */
export class HostDriver extends NullDriver {
  override readonly name: string = "host";
  override readonly capabilities: DriverCapabilities = {
    scope: "local",
    connectivityScope: "local",
    needsAddresses: false,
    single: true,
    names: false,
    hostNetns: true,
    imperative: false,
  };
}
