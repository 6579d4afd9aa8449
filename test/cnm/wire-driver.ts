import {
  BridgeDriver,
  type BridgeFacts,
  type DriverEndpoint,
  type DriverJoin,
  type DriverNetwork,
  type JoinAnswer,
  NativeDriver,
  type Underlay,
} from "../../src/drivers/index.ts";
import type { Wanted } from "../../src/plan/index.ts";
import { parentFacts } from "../drivers/parent/parent-facts.ts";

/** Facts of a host of which nothing is known; enough for bridges of the driver's own. */
const noFacts: BridgeFacts = {
  linkKind: () => undefined,
  forwardedBefore: () => false,
  forwardingLinks: () => [],
  forcedLinks: () => [],
  bridgesInUse: () => [],
  linksWithAdvertisedRoute: () => [],
  ipv6Available: () => true,
  underlayPorts: () => [],
  smallLinks: () => [],
  parents: parentFacts({}),
};

/** A bridge driver whose bridges are on the wire, by ports that tests add. */
export class WireDriver extends NativeDriver {
  readonly name = "wire";
  readonly #bridge = new BridgeDriver(noFacts);

  get capabilities() {
    return this.#bridge.capabilities;
  }

  checkNetwork(network: Omit<DriverNetwork, "pools" | "answer" | "id">) {
    return this.#bridge.checkNetwork(network);
  }

  override createNetwork(network: Omit<DriverNetwork, "answer">, others: readonly DriverNetwork[]) {
    return this.#bridge.createNetwork(network, others);
  }

  underlay({ answer }: DriverNetwork): Underlay {
    return { link: String(answer.bridge), mtu: 1500 };
  }

  override join(network: DriverNetwork): Promise<JoinAnswer> {
    return this.#bridge.join(network);
  }

  planNetwork(network: DriverNetwork): readonly Wanted[] {
    return this.#bridge.planNetwork(network);
  }

  planEndpoint(network: DriverNetwork, endpoint: DriverEndpoint, join: DriverJoin): readonly Wanted[] {
    return this.#bridge.planEndpoint(network, endpoint, join);
  }
}
