import type { Clock, IpAddress, Random } from "../core/index.ts";
import type { Driver, DriverOptions } from "../drivers/index.ts";
import type { HostFacts } from "../facts/index.ts";
import type { AddressPoolConfig, IpamDriver } from "../ipam/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { HeldHandler } from "../plan/index.ts";
import type { HostPorts, PortBinding, PortSockets } from "../ports/index.ts";
import type { Store } from "../store/index.ts";
import type { ControllerEvent } from "./controller-event.ts";
import type { ThreadStats } from "./stats.ts";

/** The drivers that come with weft. */
export const nativeDriverNames = ["bridge", "macvlan", "ipvlan", "host", "null"] as const;

/** The name of one of {@link nativeDriverNames}. */
export type NativeDriverName = (typeof nativeDriverNames)[number];

/** Settings of a native driver; there are none yet. */
export type NativeDriverSettings = Readonly<Record<string, never>>;

/** How a controller is to be opened. */
export interface ControllerOptions {
  /** The folder where it keeps everything, absolute; made with mode 0700. One controller uses it at a time. */
  readonly root: string;
  /** The native drivers to have, by name; all of them without. */
  readonly drivers?: { readonly [Name in NativeDriverName]?: NativeDriverSettings };
  /** Drivers of the embedding program's own. */
  readonly extraDrivers?: readonly Driver[];
  /** IPAM drivers of the embedding program's own, besides `default` and `null`. */
  readonly extraIpamDrivers?: readonly IpamDriver[];
  /** Where subnets are chosen from in place of the reference's 31 networks. */
  readonly defaultAddressPools?: readonly AddressPoolConfig[];
  /** Driver options by driver, for networks that are made without them; not for weft's own, nor by a configuration network. */
  readonly defaultNetworkOptions?: Readonly<Record<string, DriverOptions>>;
  /** What `host-gateway` stands for among a sandbox's extra hosts, addresses of the host; those of the network bridge without. */
  readonly hostGatewayAddresses?: readonly string[];
  /** The namespace that is the host, by path; the process's own without. */
  readonly hostNetns?: string;
  /** Put right by itself what others change of weft's on the host; true. */
  readonly selfRepair?: boolean;
  /**
   * Leave `bridge-nf-call-iptables` as it is; false. Where br_netfilter is loaded and no other firewall
   * judges forwarded packets, weft turns it off while it has networks: frames between sandboxes of one
   * network then take no detour.
   */
  readonly keepBridgeNetfilter?: boolean;
  /** The host's resolv.conf; `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** Hears what happens by itself, from the opening on. */
  readonly onEvent?: (event: ControllerEvent) => void;
}

/** What a controller works with. Tests put twins in their place; {@link ControllerOptions} make the real ones. */
export interface ControllerParts {
  readonly root: string;
  readonly hostNetnsPath: string;
  readonly store: Store;
  readonly kernel: Kernel;
  readonly facts: HostFacts;
  readonly held: readonly HeldHandler[];
  /** The reservations of the host's ports; what is published by sandboxes. */
  readonly hostPorts: HostPorts;
  /** Ports to try out with: what others have is known, and nothing is bound. `own` are the controller's. */
  readonly observePorts?: (own: readonly PortBinding[]) => PortSockets;
  readonly drivers: readonly (Driver | NativeDriverName)[];
  readonly ipamDrivers: readonly IpamDriver[];
  readonly defaultAddressPools: readonly AddressPoolConfig[];
  readonly defaultNetworkOptions?: Readonly<Record<string, DriverOptions>>;
  readonly hostGatewayAddresses?: readonly IpAddress[];
  readonly hostId: string;
  /** Whether what others change is put right at once. */
  readonly selfRepair: boolean;
  readonly keepBridgeNetfilter: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Run after everything else was closed, in this order; all of them, whatever fails. */
  readonly onClose: readonly (() => unknown)[];
  /** Removes what the parts themselves put on the host, when everything is purged. */
  readonly onPurge: readonly (() => unknown)[];
  /** Where the threads of the parts are asked for their figures. */
  readonly threads?: ThreadStats;
  /** Told once where to tell what happens to the parts by themselves. */
  readonly tell?: (listener: (event: ControllerEvent) => void) => void;
}
