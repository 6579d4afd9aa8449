import type { IpamConfig } from "../../api/index.ts";
import {
  contains,
  containsPrefix,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
} from "../../core/index.ts";
import { UsageError } from "../failures.ts";

/** What `--subnet`, `--ip-range`, `--gateway` and `--aux-address` were given. */
export interface IpamWords {
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  readonly auxAddresses: Readonly<Record<string, string>>;
}

type Config = { -readonly [K in keyof IpamConfig]: IpamConfig[K] };

/**
 * Finds out which subnet each range, gateway and address belongs to, which the options do not say. Throws UsageError
 * in Docker's words, INVALID_PREFIX and INVALID_ADDRESS.
 */
export function ipamConfigOf(words: IpamWords): IpamConfig[] {
  const lone = words.ranges.length + words.gateways.length > 0 || Object.keys(words.auxAddresses).length > 0;
  if (words.subnets.length === 0 && lone) {
    throw new UsageError("every ip-range or gateway must have a corresponding subnet");
  }
  const configs = words.subnets.map((text) => ({ subnet: parsePrefix(text), config: newConfig(text) }));
  refuseOverlaps(configs.map(({ subnet }) => subnet));
  const configFor = (what: string, holds: (subnet: Prefix) => boolean) => {
    const found = configs.find(({ subnet }) => holds(subnet));
    if (found === undefined) throw new UsageError(`no matching subnet for ${what}`);
    return found.config;
  };
  for (const text of words.ranges) {
    const range = parsePrefix(text);
    const config = configFor(`range ${text}`, (subnet) => containsPrefix(subnet, range));
    if (config.IPRange !== undefined) throw twice("ranges", config.IPRange, text, config.Subnet);
    config.IPRange = text;
  }
  for (const text of words.gateways) {
    const gateway = parseAddress(text);
    const config = configFor(`gateway ${text}`, (subnet) => contains(subnet, gateway));
    if (config.Gateway !== undefined) throw twice("gateways", config.Gateway, text, config.Subnet);
    config.Gateway = text;
  }
  for (const [name, text] of Object.entries(words.auxAddresses)) {
    const address = parseAddress(text);
    const config = configFor(`aux-address ${text}`, (subnet) => contains(subnet, address));
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: text };
  }
  return configs.map(({ config }) => config);
}

function newConfig(subnet: string): Config {
  return { Subnet: subnet };
}

function refuseOverlaps(subnets: readonly Prefix[]): void {
  subnets.forEach((subnet, at) => {
    if (!subnets.slice(0, at).some((former) => overlaps(former, subnet))) return;
    throw new UsageError("multiple overlapping subnet configuration is not supported");
  });
}

function twice(what: string, former: string, later: string, subnet: string | undefined): UsageError {
  return new UsageError(
    `cannot configure multiple ${what} (${former}, ${later}) on the same subnet (${subnet})`,
  );
}
