import type { Id, InterfaceAddress, IpAddress, MacAddress } from "../core/index.ts";
import type { JoinAnswer, NetworkAnswer } from "../drivers/index.ts";
import type { AllocatedPool, SubnetConfig } from "../ipam/index.ts";
import type { PortBinding, PortSpec } from "../ports/index.ts";
import type { Sysctls } from "./sysctl-options.ts";

/**
 * Where an object is in its life. `creating`: recorded with its allocations, perhaps not all in the
 * kernel. `ready`: in the kernel. `deleting`: invisible, its name free, its addresses not yet.
 */
export type LifeState = "creating" | "ready" | "deleting";

/** Settings by the names that they have in Docker's configuration. */
export type BridgeSettings = Readonly<Record<string, string | number | boolean>>;

/** What a network is: what the user asked for and what was allocated. */
export interface NetworkRecord {
  readonly id: Id;
  readonly name: string;
  readonly driver: string;
  readonly state: LifeState;
  /** ms since 1970. */
  readonly created: number;
  /** Where it lives: on this host, or on all of a cluster. */
  readonly scope: "local" | "global";
  /** Containers that no service started may join it; of meaning in a cluster only. */
  readonly attachable: boolean;
  /** It is nothing but settings for other networks to be made from, and nothing of it is on the host. */
  readonly configOnly: boolean;
  /** The name of the configuration network that it was made from. */
  readonly configFrom?: string | undefined;
  /** The subnets that a configuration network asks for. */
  readonly subnets?: readonly SubnetConfig[] | undefined;
  /** Made by weft itself, as Docker has `bridge`, `host` and `none`; it cannot be deleted or made again. */
  readonly predefined?: true | undefined;
  /** What the default bridge was made with: see default-bridge.ts. */
  readonly settings?: BridgeSettings | undefined;
  readonly internal: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly ipamDriver: string;
  readonly ipamOptions: Readonly<Record<string, string>>;
  readonly pools: readonly AllocatedPool[];
  /** Absent while a driver that does work elsewhere has been called and has not answered. */
  readonly answer?: NetworkAnswer | undefined;
}

/** A name of a sandbox's own for somebody in one of its networks. */
export interface LinkRecord {
  readonly alias: string;
  readonly name: string;
}

/** The sandbox that an endpoint is in. */
export interface JoinRecord {
  readonly sandbox: Id;
  /** The interface in the sandbox. */
  readonly ifname: string;
  /** Counts the joins of the sandbox: its files list endpoints in this order. */
  readonly order: number;
  /** The highest of a sandbox's endpoints is its way out. */
  readonly priority: number;
  /** Names that the sandbox alone has for others of the network: `alias` for whoever is called `name`. */
  readonly links?: readonly LinkRecord[] | undefined;
  /** Absent while a driver that does work elsewhere has been called and has not answered. */
  readonly answer?: JoinAnswer | undefined;
  /** The endpoint is leaving; its interface may still be there. */
  readonly leaving?: true | undefined;
  /** The ports of the host that were its sandbox's when the endpoint began to leave, if any. */
  readonly published?: readonly PortBinding[] | undefined;
  /**
   * A driver that does work elsewhere was told that the endpoint is its sandbox's way out; `telling`: was
   * about to be, and may have been.
   */
  readonly wayOut?: "telling" | "told" | undefined;
}

/** An address of an endpoint with the pool it came from. */
export interface AddressRecord {
  readonly poolId: string;
  readonly address: InterfaceAddress;
}

/** What an endpoint is. */
export interface EndpointRecord {
  readonly id: Id;
  readonly network: Id;
  readonly name: string;
  readonly state: LifeState;
  readonly addresses: readonly AddressRecord[];
  /** Addresses of the link alone, which it has besides. */
  readonly linkLocal?: readonly InterfaceAddress[] | undefined;
  readonly macAddress?: MacAddress | undefined;
  readonly aliases: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly join?: JoinRecord | undefined;
}

/** A line of a hosts file. */
export interface HostEntry {
  readonly name: string;
  readonly address: IpAddress;
}

/** What a sandbox is. */
export interface SandboxRecord {
  readonly id: Id;
  readonly containerId: string;
  readonly state: LifeState;
  readonly hostname: string;
  readonly domainName: string;
  /** Lives in the host's own namespace. */
  readonly hostNetns: boolean;
  /** The namespace of somebody else's making that the sandbox uses. */
  readonly externalNetns?: string | undefined;
  /** What tells that namespace from every other, also after the machine was booted anew. */
  readonly externalIdentity?: string | undefined;
  /** Sysctls of its own namespace, by their paths below /proc/sys. */
  readonly sysctls: Sysctls;
  readonly extraHosts: readonly HostEntry[];
  readonly dns: readonly IpAddress[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
  /** What the host's resolv.conf says, as it was found last. */
  readonly hostResolvConf: string;
  /** Whether the kernel had IPv6 when the sandbox was made. */
  readonly ipv6: boolean;
  /** The ports to publish, as they were asked for. */
  readonly ports: readonly PortSpec[];
  /** The ports of the host that were taken for them. */
  readonly bindings: readonly PortBinding[];
  /** The port at 127.0.0.11 in the sandbox that names are answered on. */
  readonly dnsPort: number;
}
