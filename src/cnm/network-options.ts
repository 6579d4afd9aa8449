import type { SubnetConfig } from "../ipam/index.ts";

/** How a network is to be; everything may be left out. */
export interface NetworkOptions {
  /** Driver options by their full names. */
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** IPv4 addresses for endpoints; true. */
  readonly ipv4?: boolean;
  /** IPv6 addresses for endpoints; false. */
  readonly ipv6?: boolean;
  /** No way out of the network; false. */
  readonly internal?: boolean;
  /** Containers that no service started may join it, in a cluster; false. */
  readonly attachable?: boolean;
  /** Make no network but settings that others can be made from; the driver is theirs to choose. False. */
  readonly configOnly?: boolean;
  /** The name or id of the configuration network that this one gets its settings from, and has none of its own. */
  readonly configFrom?: string;
  /** `local` or `global`; the driver's own without. */
  readonly scope?: string;
  readonly ipam?: {
    /** The name of an IPAM driver; `default`. */
    readonly driver?: string;
    readonly options?: Readonly<Record<string, string>>;
    /** One subnet for each family; a free one is chosen for a family without. */
    readonly subnets?: readonly SubnetConfig[];
  };
  readonly signal?: AbortSignal;
}
