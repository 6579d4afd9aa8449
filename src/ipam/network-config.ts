import {
  contains as containsAddress,
  containsPrefix,
  type Family,
  familyOf,
  type IpAddress,
  isWeftError,
  lengthOf,
  networkOf,
  overlaps,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
  WeftError,
} from "../core/index.ts";

/** One subnet of a network as the user writes it; an entry of Docker's `IPAM.Config`. */
export interface SubnetConfig {
  /** CIDR; `0.0.0.0/24` asks for any subnet of that size; left out, any. */
  readonly subnet?: string;
  /** The part of the subnet that addresses are chosen from, CIDR. */
  readonly ipRange?: string;
  readonly gateway?: string;
  /** Addresses that are in use already, by a name for each; the network gives them to nobody. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
}

/** A network's IPAM configuration as the user writes it. */
export interface NetworkIpamConfig {
  readonly enableIpv4: boolean;
  readonly enableIpv6: boolean;
  /** None of a family that is not enabled; a family without any gets one subnet of the driver's choice. */
  readonly subnets: readonly SubnetConfig[];
}

/** A pool to be asked for; every part of it fits the others. */
export interface PoolConfig {
  readonly family: Family;
  /** Undefined for a pool of the driver's choice. */
  readonly subnet: Prefix | undefined;
  readonly ipRange: Prefix | undefined;
  readonly gateway: IpAddress | undefined;
  readonly auxAddresses: Readonly<Record<string, IpAddress>>;
}

/**
 * Checks a network's IPAM configuration and gives the pools it asks for, IPv4 first, at least one for
 * each family that is enabled. Throws INVALID_IPAM_CONFIG with everything that is wrong, a line each.
 */
export function parseNetworkConfig(config: NetworkIpamConfig): readonly PoolConfig[] {
  const problems: string[] = [];
  const families = [...(config.enableIpv4 ? [4 as const] : []), ...(config.enableIpv6 ? [6 as const] : [])];
  const pools: PoolConfig[] = [];
  for (const entry of config.subnets) {
    const pool = parseSubnet(entry, families, problems);
    if (pool !== undefined) pools.push(pool);
  }
  checkOverlaps(pools, problems);
  if (problems.length > 0) {
    throw new WeftError("INVALID_IPAM_CONFIG", ["invalid network config:", ...problems].join("\n"), {
      details: { problems },
    });
  }
  return families.flatMap((family) => {
    const own = pools.filter((pool) => pool.family === family);
    return own.length > 0 ? own : [anyPool(family)];
  });
}

function anyPool(family: Family): PoolConfig {
  return { family, subnet: undefined, ipRange: undefined, gateway: undefined, auxAddresses: {} };
}

/** The pool an entry asks for; undefined when it is wrong, of a family that is not enabled, or asks for nothing. */
function parseSubnet(
  entry: SubnetConfig,
  families: readonly Family[],
  problems: string[],
): PoolConfig | undefined {
  const { subnet: text = "", ipRange = "", gateway = "", auxAddresses = {} } = entry;
  if (text === "") {
    if (ipRange !== "" || gateway !== "") {
      problems.push("every ip-range or gateway must have a corresponding subnet");
    }
    for (const address of Object.values(auxAddresses)) {
      problems.push(`no matching subnet for aux-address ${address}`);
    }
    return undefined;
  }
  const subnet = readPrefix(text);
  if (subnet === undefined) {
    problems.push(`invalid subnet ${text}: invalid CIDR block notation`);
    return undefined;
  }
  const family = familyOf(subnet.prefix);
  if (!families.includes(family)) {
    problems.push(
      `invalid subnet ${text}: IPv${family} is not enabled for this network: it needs --ipv${family}, EnableIPv${family}`,
    );
    return undefined;
  }
  if (!subnet.canonical) problems.push(`invalid subnet ${text}: it should be ${subnet.prefix}`);
  return {
    family,
    subnet: subnet.prefix,
    ipRange: parseIpRange(ipRange, subnet.prefix, problems),
    gateway: parseMember(gateway, subnet.prefix, `gateway ${gateway}`, problems),
    auxAddresses: parseAuxAddresses(auxAddresses, subnet.prefix, problems),
  };
}

function parseIpRange(text: string, subnet: Prefix, problems: string[]): Prefix | undefined {
  if (text === "") return undefined;
  const range = readPrefix(text);
  const problem = (why: string) => problems.push(`invalid ip-range ${text}: ${why}`);
  if (range === undefined) problem("invalid CIDR block notation");
  else if (familyOf(range.prefix) !== familyOf(subnet)) {
    problem(`parent subnet is an IPv${familyOf(subnet)} block`);
  } else {
    if (lengthOf(range.prefix) < lengthOf(subnet)) {
      problem(`CIDR block is bigger than its parent subnet ${subnet}`);
    }
    if (!range.canonical) problem(`it should be ${range.prefix}`);
    if (!overlaps(subnet, range.prefix)) problem(`parent subnet ${subnet} doesn't contain ip-range`);
    if (containsPrefix(subnet, range.prefix)) return range.prefix;
  }
  return undefined;
}

function parseAuxAddresses(
  entries: Readonly<Record<string, string>>,
  subnet: Prefix,
  problems: string[],
): Readonly<Record<string, IpAddress>> {
  const addresses: [string, IpAddress][] = [];
  for (const [name, text] of Object.entries(entries)) {
    const address = parseMember(text, subnet, `auxiliary address ${name}`, problems);
    if (address !== undefined) addresses.push([name, address]);
    else if (text === "") problems.push(`invalid auxiliary address ${name}: invalid address`);
  }
  // Not by assignment: a name may be __proto__.
  return Object.fromEntries(addresses);
}

function parseMember(text: string, subnet: Prefix, what: string, problems: string[]): IpAddress | undefined {
  if (text === "") return undefined;
  const address = readAddress(text);
  if (address === undefined) problems.push(`invalid ${what}: invalid address`);
  else if (familyOf(address) !== familyOf(subnet)) {
    problems.push(`invalid ${what}: parent subnet is an IPv${familyOf(subnet)} block`);
  } else if (!containsAddress(subnet, address)) {
    problems.push(`invalid ${what}: parent subnet ${subnet} doesn't contain this address`);
  }
  return address;
}

function checkOverlaps(pools: readonly PoolConfig[], problems: string[]): void {
  const subnets = pools.flatMap(({ subnet }) =>
    subnet === undefined || isAnyOfSize(subnet) ? [] : [subnet],
  );
  const clash = subnets.some((subnet, i) => subnets.slice(i + 1).some((other) => overlaps(subnet, other)));
  if (clash) problems.push("multiple overlapping subnet configuration is not supported");
}

/** True for `0.0.0.0/24` and the like, which ask for any subnet of a size; two of them are two subnets. */
export function isAnyOfSize(subnet: Prefix): boolean {
  return lengthOf(subnet) > 0 && (subnet.startsWith("0.0.0.0/") || subnet.startsWith("::/"));
}

function readPrefix(text: string): { prefix: Prefix; canonical: boolean } | undefined {
  const address = attempt(() => parseInterfaceAddress(text));
  if (address === undefined) return undefined;
  const prefix = networkOf(address);
  return { prefix, canonical: prefix === String(address) };
}

function readAddress(text: string): IpAddress | undefined {
  return attempt(() => parseAddress(text));
}

/** What `read` gives, or undefined when it refuses the text. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isWeftError(error)) return undefined;
    throw error;
  }
}
