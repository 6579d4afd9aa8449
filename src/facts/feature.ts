/** What weft may ask of a kernel, by the names that people see. */
export const featureNames = [
  "bridge",
  "veth",
  "nftables NAT",
  "nftables bridge",
  "conntrack",
  "IPv6",
  "br_netfilter",
  "vxlan",
  "macvlan",
  "ipvlan",
  "802.1Q",
  "dummy",
  "IPVS",
  "ESP",
  "WireGuard",
  "netem",
] as const;

/** The name of a {@link Feature}. */
export type FeatureName = (typeof featureNames)[number];

/** One thing a kernel may or may not offer. */
export interface Feature {
  readonly name: FeatureName;
  readonly available: boolean;
  /** The module that brings it. */
  readonly module: string;
  /** What weft cannot do without it. */
  readonly neededFor: string;
}
