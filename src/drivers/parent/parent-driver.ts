import { addressPart, contains, familyOf, type IpAddress, isWeftError, WeftError } from "../../core/index.ts";
import { isKernelError, type KernelError } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type {
  AddressingNeeds,
  DriverCapabilities,
  DriverEndpoint,
  DriverJoin,
  DriverNetwork,
  EndpointAnswer,
  JoinAnswer,
  Underlay,
} from "../contract.ts";
import { refuseWithoutIpv6 } from "../ipv6-sysctls.ts";
import { NativeDriver } from "../native-driver.ts";
import { refuseAddresses } from "./addresses.ts";
import { listensToRouters } from "./advertised.ts";
import type { ParentAnswer, ParentFacts, ParentUse, ParentUser } from "./answer.ts";
import { planEndpointOnParent } from "./endpoint-plan.ts";
import { dummyParent, findParent, refuseMissing } from "./find-parent.ts";
import { lookAgain } from "./look-again.ts";
import { refuseMtu, refuseSmallMtu } from "./mtu.ts";
import { type EndpointKind, type ParentOptions, parseParentOptions } from "./parent-options.ts";
import type { ParentRequest } from "./parent-request.ts";
import { planParent } from "./plan.ts";
import { refuseNoStandIn } from "./stand-in.ts";
import { refuseStrangers } from "./taken.ts";

/** The facts that the plans of a macvlan or ipvlan network rely on, as its record keeps them. */
export interface ParentNetworkAnswer extends Readonly<Record<string, unknown>> {
  readonly parent: ParentAnswer;
  /** False when the kernel runs without IPv6. */
  readonly ipv6Available: boolean;
  /** See {@link ParentFacts.ranksAdvertisedRoutes}. */
  readonly ranksAdvertisedRoutes: boolean;
}

/**
 * A driver whose endpoints are links on a link of the host: they are on its wire, with addresses of their
 * own, and the host forwards nothing for them. A network without a parent has a dummy link for one, and no
 * way out. The parent's MTU is followed.
 */
export abstract class ParentDriver extends NativeDriver {
  readonly capabilities: DriverCapabilities = {
    scope: "local",
    connectivityScope: "global",
    needsAddresses: true,
    single: false,
    names: true,
    hostNetns: false,
    imperative: false,
  };
  /** The kernel's feature that the endpoints' links are, and the prefix of the dummies' names. */
  protected abstract readonly feature: "macvlan" | "ipvlan";
  protected abstract readonly dummyPrefix: "dm" | "di";
  /** The names of the options that only this driver has. */
  protected abstract readonly ownOptions: readonly string[];
  readonly #facts: ParentFacts;

  constructor(facts: ParentFacts) {
    super();
    this.#facts = facts;
  }

  /** Reads the options that only this driver has. Throws INVALID_OPTION. */
  protected abstract endpointKind(network: Pick<DriverNetwork, "options">): EndpointKind;

  checkNetwork(network: Pick<DriverNetwork, "options" | "ipv4" | "ipv6">): AddressingNeeds {
    this.endpointKind(network);
    const { parent } = this.#options(network);
    // Whoever is the gateway is somebody on that wire, whom weft does not know.
    const needs: AddressingNeeds = { skipGateway: [4, 6] };
    return parent === undefined ? { ...needs, internal: true } : needs;
  }

  /** Throws PARENT_MISSING, PARENT_DOWN, PARENT_IN_USE, PARENT_HAS_ADDRESSES, INVALID_OPTION and FEATURE_MISSING. */
  override async createNetwork(network: Omit<DriverNetwork, "answer">): Promise<ParentNetworkAnswer> {
    const facts = this.#facts;
    const options = this.#options(network);
    const { use, spec } = this.endpointKind(network);
    refuseWithoutIpv6(network, facts.ipv6Available());
    refuseMissing(this.feature, `a network of driver ${this.name}`, facts);
    const { parent: wanted, mtu } = options;
    const parent =
      wanted === undefined
        ? dummyParent(this.dummyPrefix, network.id, mtu, facts)
        : findParent({ driver: this.name, parent: wanted, use, spec: spec(wanted) }, facts);
    this.#refuseHostsOwn(use, parent);
    refuseMtu(network, options, parent);
    return {
      parent,
      ipv6Available: facts.ipv6Available(),
      ranksAdvertisedRoutes: facts.ranksAdvertisedRoutes(),
    };
  }

  lookAgain(network: DriverNetwork): ParentNetworkAnswer | undefined {
    const answer = answerOf(network);
    const parent = lookAgain(answer.parent, this.#asked(network), this.#facts);
    return parent === answer.parent ? undefined : { ...answer, parent };
  }

  parentUse(network: DriverNetwork): Omit<ParentUser, "network"> {
    return { use: this.endpointKind(network).use, parent: answerOf(network).parent };
  }

  /** None on a dummy. */
  underlay(network: DriverNetwork): Underlay | undefined {
    const { use, ownMac, onWire } = this.endpointKind(network);
    const { origin, link } = answerOf(network).parent;
    if (origin === "dummy") return undefined;
    return {
      link,
      mtu: this.#mtu(network),
      ...(onWire ? {} : { routed: true }),
      ...(ownMac ? {} : { sharesMac: true }),
      ...(use === "macvlan passthru" ? { promiscuous: "while joined" } : {}),
    };
  }

  endpointLimit(network: DriverNetwork): number | undefined {
    return this.endpointKind(network).limit;
  }

  sharesMac(network: DriverNetwork): boolean {
    return !this.endpointKind(network).ownMac;
  }

  /** Throws INVALID_OPTION for a MAC address where endpoints have none of their own. */
  override async createEndpoint(network: DriverNetwork, endpoint: DriverEndpoint): Promise<EndpointAnswer> {
    const { use, ownMac } = this.endpointKind(network);
    if (ownMac || endpoint.macAddress === undefined) return {};
    const who = use === "ipvlan" ? "ipvlan interfaces do" : "macvlan interfaces in mode passthru do";
    throw new WeftError("INVALID_OPTION", `${who} not support custom mac address assignment`);
  }

  /**
   * Throws PARENT_MISSING when the parent has gone, PARENT_IN_USE when it has become another's, PARENT_HAS_ADDRESSES, and
   * INVALID_OPTION when its MTU has become too small.
   */
  override async join(network: DriverNetwork, endpoint: DriverEndpoint): Promise<JoinAnswer> {
    const { parent } = answerOf(network);
    const { link } = parent;
    if (this.#facts.link(link) === undefined) {
      throw new WeftError(
        "PARENT_MISSING",
        `parent interface ${link} of network ${network.name} is not there any more`,
      );
    }
    if (parent.origin === "made") refuseNoStandIn(parent, this.#asked(network), this.#facts);
    const { interfacePrefix } = this.#options(network);
    const { use, onWire } = this.endpointKind(network);
    this.#refuseHostsOwn(use, parent);
    refuseSmallMtu(network, parent);
    const answer = {
      interfacePrefix,
      gateways: [],
      staticRoutes: [],
      disableGatewayService: network.internal,
    };
    if (network.internal) return answer;
    if (onWire)
      return {
        ...answer,
        gateways: gatewaysFor(network, endpoint),
        ...(listensToRouters(network, { onWire }) ? { advertised: [6] } : {}),
      };
    return { ...answer, defaultOnLink: endpoint.addresses.map((address) => familyOf(addressPart(address))) };
  }

  /** Other programs may have come to the parent since the network was made: looked for when the kernel says so. */
  whyRefused(
    network: DriverNetwork,
    { macAddress }: DriverEndpoint,
    refusal: KernelError,
  ): WeftError | undefined {
    const { parent } = answerOf(network);
    if (isKernelError(refusal, "EADDRINUSE") && macAddress !== undefined)
      return new WeftError(
        "ADDRESS_IN_USE",
        `MAC address ${macAddress} is another interface's on ${parent.link} already`,
        { cause: refusal },
      );
    const link = this.#facts.link(parent.link);
    if (!isKernelError(refusal, "EBUSY", "EINVAL") || link === undefined) return undefined;
    return refusalOf(() => refuseStrangers(link, this.#asked(network), this.#facts));
  }

  override async endpointInfo(network: DriverNetwork, endpoint: DriverEndpoint) {
    const { parent } = answerOf(network);
    const families = endpoint.addresses.map((address) => familyOf(addressPart(address)));
    return { parent: parent.link, mtu: this.#mtu(network), families };
  }

  planNetwork(network: DriverNetwork): readonly Wanted[] {
    return planParent(answerOf(network).parent);
  }

  planEndpoint(network: DriverNetwork, endpoint: DriverEndpoint, join: DriverJoin): readonly Wanted[] {
    const answer = answerOf(network);
    const kind = this.endpointKind(network);
    return planEndpointOnParent(network, endpoint, join, { ...answer, kind, mtu: this.#mtu(network) });
  }

  /** What the network wants of its parent. */
  #asked(network: DriverNetwork): Pick<ParentRequest, "use" | "spec"> {
    const { use, spec } = this.endpointKind(network);
    return { use, spec: spec(answerOf(network).parent.link) };
  }

  /** In mode passthru all unicast frames that come to the parent are the sandbox's. A parent that weft makes has no addresses. */
  #refuseHostsOwn(use: ParentUse, { origin, link }: ParentAnswer): void {
    if (use !== "macvlan passthru" || origin !== "adopted") return;
    refuseAddresses(link, "reach the host by another interface, or use another macvlan_mode", this.#facts);
  }

  /** Never more than the parent has: the kernel takes that from its links when it takes it from the parent. */
  #mtu(network: DriverNetwork): number {
    const most = answerOf(network).parent.mtu;
    return Math.min(this.#options(network).mtu ?? most, most);
  }

  #options(network: Pick<DriverNetwork, "options" | "ipv4" | "ipv6">): ParentOptions {
    return parseParentOptions(this.name, network, this.ownOptions);
  }
}

function answerOf({ answer }: Pick<DriverNetwork, "answer">): ParentNetworkAnswer {
  return answer as ParentNetworkAnswer; // createNetwork or lookAgain wrote it, and records keep it as it was
}

/** The gateways of the subnets that the endpoint has addresses of, where the user named any. */
function gatewaysFor({ pools }: DriverNetwork, { addresses }: DriverEndpoint): readonly IpAddress[] {
  return pools.flatMap(({ pool, gateway }) =>
    gateway !== undefined && addresses.some((address) => contains(pool, addressPart(address)))
      ? [addressPart(gateway)]
      : [],
  );
}

/** What `check` throws, if that is weft's. */
function refusalOf(check: () => void): WeftError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (isWeftError(error)) return error;
    throw error;
  }
}
