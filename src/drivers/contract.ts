import type {
  Family,
  Id,
  InterfaceAddress,
  IpAddress,
  MacAddress,
  Prefix,
  WeftError,
} from "../core/index.ts";
import type { KernelError, NetnsRef } from "../kernel/index.ts";
import type { Wanted } from "../plan/index.ts";
import type { PortProtocol, PublishedPort } from "../ports/index.ts";
import type { ParentUser } from "./parent/answer.ts";

/** Options by their full names, as users write them: `com.docker.network.bridge.name`. */
export type DriverOptions = Readonly<Record<string, string>>;

/** What a driver says of itself. */
export interface DriverCapabilities {
  /** Where its networks live: on one host, or on all of a cluster. */
  readonly scope: "local" | "global";
  readonly connectivityScope: "local" | "global";
  /** Whether weft allocates addresses for its networks; host and none have none. */
  readonly needsAddresses: boolean;
  /** At most one network of this driver can exist. */
  readonly single: boolean;
  /** Sandboxes on its networks find each other by name at 127.0.0.11. */
  readonly names: boolean;
  /** The host forwards its networks' traffic, past whatever firewalls the host has. */
  readonly forwards?: true;
  /** Endpoints live in the host's own namespace. */
  readonly hostNetns: boolean;
  /**
   * Its verbs do work elsewhere: they are recorded before they are called, and a crash in between is
   * followed by the verb that undoes them.
   */
  readonly imperative: boolean;
}

/** A pool of a network with what was taken from it for the network itself. */
export interface DriverPool {
  readonly family: Family;
  readonly pool: Prefix;
  readonly gateway?: InterfaceAddress | undefined;
  readonly auxAddresses: Readonly<Record<string, InterfaceAddress>>;
}

/** A network as a driver sees it. */
export interface DriverNetwork {
  readonly id: Id;
  readonly name: string;
  readonly options: DriverOptions;
  readonly internal: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly pools: readonly DriverPool[];
  /** What the driver answered to {@link Driver.createNetwork}; kept in the network's record. */
  readonly answer: NetworkAnswer;
}

/** Plain JSON of the driver's own making: facts found when the network was made, that plans rely on. */
export type NetworkAnswer = Readonly<Record<string, unknown>>;

/** An endpoint as a driver sees it. */
export interface DriverEndpoint {
  readonly id: Id;
  readonly name: string;
  readonly options: DriverOptions;
  readonly addresses: readonly InterfaceAddress[];
  readonly macAddress?: MacAddress | undefined;
}

/** Addresses of an endpoint that the driver may fill in where weft left them open. */
export interface EndpointAnswer {
  readonly addresses?: readonly InterfaceAddress[];
  readonly macAddress?: MacAddress;
}

/** A sandbox as a driver sees it, and the interface the endpoint has in it. */
export interface DriverJoin {
  readonly sandboxId: Id;
  readonly netns: NetnsRef;
  /** The name that the interface will have in the sandbox. */
  readonly ifname: string;
  /** Ports of the sandbox are published. */
  readonly publishes: boolean;
}

/** A port of a sandbox that is published: on a port of the host, or open at its own address. */
export interface OpenPort {
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** How a network leads the host's ports to its endpoints, family by family. */
export interface Publishing {
  /**
   * `nat`: a port of the host is reserved and rewritten. `routed`: the port is open at the sandbox's own
   * address, and no port of the host is taken. `none`: nothing is published.
   */
  readonly mode: Readonly<Record<Family, "nat" | "routed" | "none">>;
  /** The host's address for ports that name none; all of the host's without. */
  readonly hostAddress?: IpAddress | undefined;
}

/** What of a sandbox is published through an endpoint. */
export interface Publication {
  /** Ports of the host whose packets go to the endpoint's addresses. */
  readonly translated: readonly PublishedPort[];
  /** The sandbox's published ports, for networks that open them at its own address. */
  readonly open: readonly OpenPort[];
  /** The families for which the endpoint is the sandbox's way out. */
  readonly families: readonly Family[];
}

/** A route that a driver wants in the sandbox besides the default route. */
export interface StaticRoute {
  readonly destination: Prefix;
  /** Absent for a destination that is on the link itself. */
  readonly gateway?: IpAddress | undefined;
}

/** What a driver answers to {@link Driver.join}; kept in the endpoint's record. */
export interface JoinAnswer {
  /** The link, in the host's namespace, that weft moves into the sandbox; absent when the plan itself makes it there. */
  readonly link?: string | undefined;
  /** The prefix of the interface's name in the sandbox, `eth`. */
  readonly interfacePrefix?: string | undefined;
  readonly gateways: readonly IpAddress[];
  /** Families in which the link itself is the way out: a default route without a gateway. */
  readonly defaultOnLink?: readonly Family[] | undefined;
  /** Families of which routers on the wire, if there are any, give the sandbox a default route themselves. */
  readonly advertised?: readonly Family[] | undefined;
  readonly staticRoutes: readonly StaticRoute[];
  /** The endpoint has no gateway of its own and wants none. */
  readonly disableGatewayService: boolean;
}

/** Where a network meets the wire: sandboxes on it share a segment with machines that weft knows nothing of. */
export interface Underlay {
  /**
   * The link of the host on which frames to those machines leave: a macvlan's or ipvlan's parent, also when that is a
   * VLAN sub-interface, or a bridge of which a link of the host is a port.
   */
  readonly link: string;
  /** The link of the host that is a port of it, when `link` is a bridge. */
  readonly port?: string | undefined;
  /** What a sandbox's packets have at most, bytes. */
  readonly mtu: number;
  /** The link routes, as with ipvlan in mode l3: nobody on the wire asks for sandboxes' addresses, and none is asked for there. */
  readonly routed?: true | undefined;
  /** Sandboxes send by the link's own MAC address, as with ipvlan; by addresses of their own without. */
  readonly sharesMac?: true | undefined;
  /** When the link that is at the wire has to hear what is for any MAC address: a bridge's port always, a passthru interface's parent while that is there. Never without. */
  readonly promiscuous?: "always" | "while joined" | undefined;
}

/** What the host itself is going to have on a wire. */
export interface HostAddresses {
  /** The link on which others are asked for them before they are taken. */
  readonly link: string;
  readonly addresses: readonly IpAddress[];
}

/** A wish about addresses that a driver has before any are allocated. */
export interface AddressingNeeds {
  /** Families for which no gateway address is to be taken but one that the user names. */
  readonly skipGateway: readonly Family[];
  /** The network can have no way out, whatever was asked for. */
  readonly internal?: true;
}

/**
 * A network driver: the verbs of Docker's plugin protocol, and pure plans. The verbs of a native driver
 * only check and answer; those of one in another process do work there. Answers are kept in the records,
 * and {@link planNetwork} and {@link planEndpoint} read records alone, so that a restart plans the same.
 */
export interface Driver {
  readonly name: string;
  readonly capabilities: DriverCapabilities;
  /** Checks options before anything is allocated. Throws INVALID_OPTION or UNKNOWN_OPTION. */
  checkNetwork(network: Omit<DriverNetwork, "pools" | "answer" | "id">): AddressingNeeds;
  /** `others` are this driver's existing networks. Rejects when the network cannot be; then nothing of it is kept. */
  createNetwork(
    network: Omit<DriverNetwork, "answer">,
    others: readonly DriverNetwork[],
    signal?: AbortSignal,
  ): Promise<NetworkAnswer>;
  deleteNetwork(network: DriverNetwork): Promise<void>;
  /**
   * Looks at the facts again that the network's answer holds, such as a link's MTU. Gives the answer as it
   * is to be from now on, by which the network and its endpoints are planned anew; undefined when nothing has
   * changed. It is asked at a start, when the host changed, and before drift is told. It must be quick.
   */
  lookAgain?(network: DriverNetwork): NetworkAnswer | undefined;
  /** How many endpoints the network can have at a time; any number without. */
  endpointLimit?(network: DriverNetwork): number | undefined;
  /** Endpoints have the MAC address of the link that they are built on: none is chosen for them. */
  sharesMac?(network: DriverNetwork): boolean;
  createEndpoint(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    signal?: AbortSignal,
  ): Promise<EndpointAnswer>;
  deleteEndpoint(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;
  join(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    sandbox: Pick<DriverJoin, "sandboxId" | "netns">,
    signal?: AbortSignal,
  ): Promise<JoinAnswer>;
  leave(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;
  /**
   * The endpoint becomes, or ceases to be, its sandbox's way to the outside. After a crash a driver that does
   * work elsewhere may hear of an end whose beginning it never heard of.
   */
  programExternalConnectivity(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;
  revokeExternalConnectivity(network: DriverNetwork, endpoint: DriverEndpoint): Promise<void>;
  /**
   * Where the network meets the wire, if it does. Pure. Drivers that have this verb have networks with the option
   * `weft.conflict_probe`: before a sandbox takes an address, others are asked for it there.
   */
  underlay?(network: DriverNetwork): Underlay | undefined;
  /**
   * Why the kernel refused an endpoint that was to join, in words, if what the host has now tells it. The kernel's own
   * refusal stands without.
   */
  whyRefused?(network: DriverNetwork, endpoint: DriverEndpoint, refusal: KernelError): WeftError | undefined;
  /** The addresses that the host gets on a wire by the network that is being made; none without. Pure. */
  hostAddresses?(network: DriverNetwork): HostAddresses | undefined;
  /** On which link of the host the network is built and how; none without, and where it is built on none. Pure. */
  parentUse?(network: DriverNetwork): Omit<ParentUser, "network"> | undefined;
  /** How ports are published through the network; not at all without. */
  publishing?(network: DriverNetwork): Publishing;
  /** What the host must hold for a sandbox's published ports, of which the endpoint is the way in. Pure. */
  planPorts?(network: DriverNetwork, endpoint: DriverEndpoint, publication: Publication): readonly Wanted[];
  /** What the driver can tell about an endpoint, for inspection. */
  endpointInfo(network: DriverNetwork, endpoint: DriverEndpoint): Promise<Readonly<Record<string, unknown>>>;
  /** What the host must hold for the network. Pure. */
  planNetwork(network: DriverNetwork): readonly Wanted[];
  /** What the host must hold for an endpoint that is in a sandbox. Pure. */
  planEndpoint(
    network: DriverNetwork,
    endpoint: DriverEndpoint,
    join: DriverJoin,
    answer: JoinAnswer,
  ): readonly Wanted[];
}
