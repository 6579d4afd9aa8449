import { parseAddress, parsePrefix } from "../../src/core/index.ts";
import {
  BridgeDriver,
  type DriverEndpoint,
  type DriverJoin,
  type DriverNetwork,
  type JoinAnswer,
  NativeDriver,
} from "../../src/drivers/index.ts";
import { type HostFacts, isForwarding } from "../../src/facts/index.ts";
import type { Wanted } from "../../src/plan/index.ts";
import { parentFacts } from "../drivers/parent/parent-facts.ts";

/** The option that names a route: DESTINATION by GATEWAY. */
const routeOption = "route";

/** A bridge driver that gives each sandbox a static route: `-o route=10.9.0.0/16=10.1.0.254`. */
export class StaticRouteDriver extends NativeDriver {
  readonly name = "routed";
  readonly #bridge: BridgeDriver;

  constructor(facts: HostFacts) {
    super();
    this.#bridge = new BridgeDriver({
      linkKind: (name) => facts.linkKind(name),
      forwardedBefore: (family) => isForwarding(facts, family),
      forwardingLinks: () => [],
      forcedLinks: () => [],
      bridgesInUse: () => facts.bridgesInUse(),
      underlayPorts: (bridge) => facts.underlayPorts(bridge),
      smallLinks: () => facts.smallLinks(),
      linksWithAdvertisedRoute: () => facts.linksWithAdvertisedRoute(),
      ipv6Available: () => true,
      parents: parentFacts({}),
    });
  }

  get capabilities() {
    return this.#bridge.capabilities;
  }

  checkNetwork(network: Omit<DriverNetwork, "pools" | "answer" | "id">) {
    return this.#bridge.checkNetwork(plain(network));
  }

  override createNetwork(network: Omit<DriverNetwork, "answer">, others: readonly DriverNetwork[]) {
    return this.#bridge.createNetwork(plain(network), others.map(plain));
  }

  override async join(network: DriverNetwork): Promise<JoinAnswer> {
    const [destination = "", gateway = ""] = (network.options[routeOption] ?? "").split("=");
    const staticRoutes = [{ destination: parsePrefix(destination), gateway: parseAddress(gateway) }];
    return { ...(await this.#bridge.join(plain(network))), staticRoutes };
  }

  planNetwork(network: DriverNetwork): readonly Wanted[] {
    return this.#bridge.planNetwork(plain(network));
  }

  planEndpoint(network: DriverNetwork, endpoint: DriverEndpoint, join: DriverJoin): readonly Wanted[] {
    return this.#bridge.planEndpoint(plain(network), endpoint, join);
  }
}

/** The network without the option that the bridge driver does not know. */
function plain<N extends Pick<DriverNetwork, "options">>(network: N): N {
  const { [routeOption]: _, ...options } = network.options;
  return { ...network, options };
}
