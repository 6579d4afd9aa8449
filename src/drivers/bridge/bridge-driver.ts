import {
  addressPart,
  deepEqual,
  type Family,
  familyOf,
  type IpAddress,
  type PrefixRange,
  rangeOf,
  rangesOverlap,
  WeftError,
} from "../../core/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type {
  AddressingNeeds,
  DriverCapabilities,
  DriverEndpoint,
  DriverJoin,
  DriverNetwork,
  HostAddresses,
  JoinAnswer,
  Publication,
  Publishing,
  Underlay,
} from "../contract.ts";
import { lacksIpv6, refuseWithoutIpv6 } from "../ipv6-sysctls.ts";
import { NativeDriver } from "../native-driver.ts";
import { lookAgain, type ParentAnswer, type ParentUser, refuseSmallMtu } from "../parent/index.ts";
import { findBridgeParent, othersPorts } from "./bridge-parent.ts";
import { type BridgeAnswer, type BridgeFacts, bridgeAnswerOf } from "./facts.ts";
import { defaultBridgeName, parseBridgeOptions } from "./options.ts";
import { bridgeAddresses, hostLinkName, mtuOf, planBridgeEndpoint, planBridgeNetwork } from "./plan.ts";
import { bridgePublishing, planBridgePorts } from "./published-ports.ts";
import { refuseSmallBridge, withSmallLinks } from "./small-links.ts";

/** What Linux gives a bridge and a veth pair of which nobody says otherwise, bytes. */
const defaultMtu = 1500;

/** The bridge driver: a Linux bridge a network, a veth pair an endpoint, isolation and NAT by one constant rule set. */
export class BridgeDriver extends NativeDriver {
  readonly name = "bridge";
  readonly capabilities: DriverCapabilities = {
    scope: "local",
    connectivityScope: "local",
    needsAddresses: true,
    single: false,
    names: true,
    forwards: true,
    hostNetns: false,
    imperative: false,
  };
  readonly #facts: BridgeFacts;

  constructor(facts: BridgeFacts) {
    super();
    this.#facts = facts;
  }

  checkNetwork(network: Pick<DriverNetwork, "options" | "ipv4" | "ipv6" | "internal">): AddressingNeeds {
    const { inhibitIpv4, gatewayMode } = parseBridgeOptions(network);
    // Where the bridge has no address and there is no way out, nobody would hold the gateway's.
    const nobodys = (family: Family) =>
      gatewayMode[family] === "isolated" || (family === 4 && inhibitIpv4 && network.internal);
    return { skipGateway: ([4, 6] as const).filter(nobodys) };
  }

  /** Throws BRIDGE_NAME_IN_USE, POOL_OVERLAP, INVALID_OPTION, and what {@link findBridgeParent} throws. */
  override async createNetwork(
    network: Omit<DriverNetwork, "answer">,
    others: readonly DriverNetwork[],
  ): Promise<BridgeAnswer> {
    const options = parseBridgeOptions(network);
    refuseWithoutIpv6(network, this.#facts.ipv6Available());
    for (const family of [4, 6] as const) {
      if (network.pools.filter((pool) => pool.family === family).length > 1) {
        throw new WeftError("INVALID_IPAM_CONFIG", "bridge driver doesn't support multiple subnets");
      }
    }
    const bridge = options.bridgeName ?? defaultBridgeName(network.id);
    refuseConflict(network, bridge, others);
    const adopted = this.#mayAdopt(bridge, options.bridgeName !== undefined);
    if (adopted) refuseSmallBridge(network, options, bridge, this.#facts);
    const parent = findBridgeParent({ ...options, ipv6: network.ipv6 }, bridge, this.#facts);
    const answer: BridgeAnswer = {
      bridge,
      adopted,
      underlayPorts: withParent(adopted ? othersPorts(bridge, this.#facts) : [], parent),
      ...(parent === undefined ? {} : { parent }),
      ipv6Available: this.#facts.ipv6Available(),
      forwardedBefore: { 4: this.#facts.forwardedBefore(4), 6: this.#facts.forwardedBefore(6) },
      ...(network.internal ? {} : this.#forwardingByLink(network)),
      guardedBridges: this.#guardedBridges(others),
      advertisedLinks: network.ipv6 && !network.internal ? this.#facts.linksWithAdvertisedRoute() : [],
    };
    // One by one: a host may have thousands of links, and of these it has few.
    return withSmallLinks(answer, options, (link) => lacksIpv6(this.#facts.parents.link(link)?.mtu));
  }

  /** Throws INVALID_OPTION when the parent's MTU has become too small. */
  override async join(network: DriverNetwork): Promise<JoinAnswer> {
    const { parent } = bridgeAnswerOf(network);
    if (parent !== undefined) refuseSmallMtu(network, parent);
    const gateways: IpAddress[] = [];
    for (const { family, gateway, auxAddresses } of network.pools) {
      // As in the reference, an auxiliary address of this name is the gateway that sandboxes use.
      const alternative = auxAddresses[family === 4 ? "DefaultGatewayIPv4" : "DefaultGatewayIPv6"];
      if (!network.internal && gateway !== undefined) gateways.push(addressPart(alternative ?? gateway));
    }
    const { interfacePrefix } = parseBridgeOptions(network);
    return { interfacePrefix, gateways, staticRoutes: [], disableGatewayService: network.internal };
  }

  /** Users give a bridge its ports, and take them, without a word to weft; a parent's MTU may change, and other links'. */
  lookAgain(network: DriverNetwork): BridgeAnswer | undefined {
    const answer = bridgeAnswerOf(network);
    const parent = answer.parent && lookAgain(answer.parent, { use: "bridge port" }, this.#facts.parents);
    const underlayPorts = withParent(othersPorts(answer.bridge, this.#facts), parent);
    const now = withSmallLinks(
      { ...answer, underlayPorts, ...(parent === undefined ? {} : { parent }) },
      parseBridgeOptions(network),
      (link) => this.#facts.smallLinks().includes(link),
    );
    const same =
      parent === answer.parent &&
      deepEqual(underlayPorts, answer.underlayPorts ?? []) &&
      deepEqual(now.smallLinks ?? [], answer.smallLinks ?? []);
    return same ? undefined : now;
  }

  parentUse(network: DriverNetwork): Omit<ParentUser, "network"> | undefined {
    const { parent } = bridgeAnswerOf(network);
    return parent === undefined ? undefined : { use: "bridge port", parent };
  }

  underlay(network: DriverNetwork): Underlay | undefined {
    const answer = bridgeAnswerOf(network);
    const { bridge, parent, underlayPorts = [] } = answer;
    const port = parent?.link ?? underlayPorts[0];
    if (network.internal || port === undefined) return undefined;
    const mtu = mtuOf(parseBridgeOptions(network), answer) ?? defaultMtu;
    return { link: bridge, port, mtu, promiscuous: "always" };
  }

  /** A bridge of the user's may have them already. */
  hostAddresses(network: DriverNetwork): HostAddresses | undefined {
    const { adopted, parent } = bridgeAnswerOf(network);
    if (adopted || parent === undefined) return undefined;
    const addresses = bridgeAddresses(network, parseBridgeOptions(network));
    return { link: parent.link, addresses: addresses.map((address) => addressPart(address)) };
  }

  publishing(network: DriverNetwork): Publishing {
    return bridgePublishing(network, parseBridgeOptions(network));
  }

  planPorts(network: DriverNetwork, endpoint: DriverEndpoint, publication: Publication): readonly Wanted[] {
    const { bridge } = bridgeAnswerOf(network);
    return planBridgePorts(bridge, parseBridgeOptions(network), endpoint, publication);
  }

  override async endpointInfo(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
  ): Promise<Readonly<Record<string, unknown>>> {
    return {
      bridge: bridgeAnswerOf(network).bridge,
      hostInterface: hostLinkName(endpoint.id),
      families: endpoint.addresses.map((address) => familyOf(address)),
    };
  }

  planNetwork(network: DriverNetwork): readonly Wanted[] {
    return planBridgeNetwork(network, parseBridgeOptions(network), bridgeAnswerOf(network));
  }

  planEndpoint(network: DriverNetwork, endpoint: DriverEndpoint, join: DriverJoin): readonly Wanted[] {
    return planBridgeEndpoint(network, endpoint, join, parseBridgeOptions(network), bridgeAnswerOf(network));
  }

  /** Nothing to remember where the host forwards as a whole or not at all. */
  #forwardingByLink({
    ipv4,
    ipv6,
  }: Pick<DriverNetwork, "ipv4" | "ipv6">): Pick<BridgeAnswer, "forwardingLinks" | "forcedLinks"> {
    const forwardingLinks = {
      4: ipv4 ? this.#facts.forwardingLinks(4) : [],
      6: ipv6 ? this.#facts.forwardingLinks(6) : [],
    };
    const forcedLinks = ipv6 ? this.#facts.forcedLinks() : [];
    const any = forwardingLinks[4].length + forwardingLinks[6].length > 0;
    return { ...(any ? { forwardingLinks } : {}), ...(forcedLinks.length > 0 ? { forcedLinks } : {}) };
  }

  /** Those that the first network found, before it made the host forward. */
  #guardedBridges(others: readonly DriverNetwork[]): readonly string[] {
    const forwarding = others.find(({ internal }) => !internal);
    return forwarding === undefined ? this.#facts.bridgesInUse() : bridgeAnswerOf(forwarding).guardedBridges;
  }

  /** True when the link is there and a bridge that the user named; a link of weft's own name was not made by the user. */
  #mayAdopt(bridge: string, named: boolean): boolean {
    const kind = this.#facts.linkKind(bridge);
    if (kind === undefined) return false;
    if (named && kind === "bridge") return true;
    throw new WeftError(
      "INVALID_OPTION",
      `the host has an interface ${bridge} already, and it is no bridge to use: it is of kind ${kind}`,
    );
  }
}

/** A parent is a port also while it is not there. */
function withParent(ports: readonly string[], parent: ParentAnswer | undefined): readonly string[] {
  return parent === undefined ? ports : [...new Set([...ports, parent.link])].sort();
}

/** What a new network is compared with in each of the others. */
interface Footprint {
  readonly bridge: string;
  readonly ranges: readonly PrefixRange[];
}

const footprints = new WeakMap<DriverNetwork, Footprint>();

function footprintOf(network: DriverNetwork): Footprint {
  const known = footprints.get(network);
  if (known !== undefined) return known;
  const { bridge } = bridgeAnswerOf(network);
  const footprint = { bridge, ranges: network.pools.map(({ pool }) => rangeOf(pool)) };
  footprints.set(network, footprint);
  return footprint;
}

/**
 * No two networks share a bridge, or addresses: pools of one IPAM driver overlap only as ranges of one
 * subnet, those of two may in any way. Throws BRIDGE_NAME_IN_USE, POOL_OVERLAP.
 */
function refuseConflict(
  network: Pick<DriverNetwork, "name" | "pools">,
  bridge: string,
  others: readonly DriverNetwork[],
): void {
  const ranges = network.pools.map(({ pool }) => rangeOf(pool));
  for (const other of others) {
    const held = footprintOf(other);
    if (held.bridge === bridge) {
      throw new WeftError(
        "BRIDGE_NAME_IN_USE",
        `cannot create network ${network.name} (${bridge}): conflicts with network ${other.name} (${bridge}): networks have same bridge name`,
      );
    }
    const index = ranges.findIndex((range) => held.ranges.some((one) => rangesOverlap(one, range)));
    const conflict = network.pools[index];
    if (conflict === undefined) continue;
    throw new WeftError(
      "POOL_OVERLAP",
      `cannot create network ${network.name} (${conflict.pool}): conflicts with network ${other.name}: networks have overlapping IPv${conflict.family}`,
    );
  }
}
