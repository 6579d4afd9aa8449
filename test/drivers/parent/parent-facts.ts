import { parseInterfaceAddress, parseMac } from "../../../src/core/index.ts";
import type { ParentFacts, ParentUser } from "../../../src/drivers/index.ts";
import type { HostLink } from "../../../src/facts/index.ts";

/** A link of a host as hardware is, up, and nobody's port. */
export function hostLink(name: string, more: Partial<HostLink> = {}): HostLink {
  const mac = parseMac("02:00:00:00:00:aa");
  return {
    name,
    kind: "device",
    mtu: 1500,
    mac,
    loopback: false,
    up: true,
    running: true,
    ours: false,
    ...more,
  };
}

/** Facts of a host with these links and networks, and the features of the kernel that it lacks. */
export function parentFacts({
  links = [],
  altnames = {},
  users = [],
  addresses = {},
  missing = [],
  ipv6 = true,
  ranks = true,
}: {
  readonly links?: readonly HostLink[];
  /** Other names of links, with the links' own. */
  readonly altnames?: Readonly<Record<string, string>>;
  readonly users?: readonly ParentUser[];
  /** By their links. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly missing?: readonly string[];
  readonly ipv6?: boolean;
  readonly ranks?: boolean;
}): ParentFacts {
  return {
    link: (name) => links.find((link) => link.name === (altnames[name] ?? name)),
    linksOn: (name) => links.filter(({ vlan }) => vlan?.parent === name),
    addressesOn: (name) => (addresses[name] ?? []).map(parseInterfaceAddress),
    missingModule: (feature) => (missing.includes(feature) ? `module of ${feature}` : undefined),
    ipv6Available: () => ipv6,
    ranksAdvertisedRoutes: () => ranks,
    users: () => users,
  };
}
