import {
  contains,
  containsPrefix,
  firstAddress,
  type IpAddress,
  isWeftError,
  networkOf,
  overlaps,
  type Prefix,
  parseAddress,
  parseInterfaceAddress,
  WeftError,
} from "../core/index.ts";
import type { SubnetConfig } from "./network-config.ts";

/** What a command line says of a network's subnets: lists that do not say what belongs to what. */
export interface SubnetFlags {
  readonly subnets: readonly string[];
  readonly ipRanges: readonly string[];
  readonly gateways: readonly string[];
  /** Address by name. */
  readonly auxAddresses: Readonly<Record<string, string>>;
}

interface Draft {
  readonly text: string;
  readonly prefix: Prefix;
  ipRange?: string;
  gateway?: string;
  readonly auxAddresses: [string, string][];
}

/**
 * Sorts ranges, gateways and auxiliary addresses to the subnets that hold them, as `docker network
 * create` does with its flags. Throws INVALID_IPAM_CONFIG at the first that has no place.
 */
export function subnetsFromFlags(flags: SubnetFlags): readonly SubnetConfig[] {
  const { subnets, ipRanges, gateways } = flags;
  if (subnets.length < ipRanges.length || subnets.length < gateways.length) {
    throw refusal("every ip-range or gateway must have a corresponding subnet");
  }
  const drafts: Draft[] = [];
  for (const text of subnets) {
    const prefix = readPrefix(text);
    if (drafts.some((other) => overlaps(other.prefix, prefix))) {
      throw refusal("multiple overlapping subnet configuration is not supported");
    }
    drafts.push({ text, prefix, auxAddresses: [] });
  }
  for (const text of ipRanges) placeIpRange(drafts, text);
  for (const text of gateways) placeGateway(drafts, text);
  for (const [name, text] of Object.entries(flags.auxAddresses)) {
    const draft = drafts.find(({ prefix }) => contains(prefix, readAddress(text)));
    if (draft === undefined) throw refusal(`no matching subnet for aux-address ${text}`);
    draft.auxAddresses.push([name, text]);
  }
  return drafts.map(({ text, prefix: _, auxAddresses, ...rest }) => ({
    subnet: text,
    ...rest,
    auxAddresses: Object.fromEntries(auxAddresses),
  }));
}

function placeIpRange(drafts: readonly Draft[], text: string): void {
  const range = readPrefix(text);
  // A range larger than its subnet finds it too: parseNetworkConfig says what is wrong with it.
  const draft = drafts.find(
    ({ prefix }) => containsPrefix(prefix, range) || contains(prefix, firstAddress(range)),
  );
  if (draft === undefined) throw refusal(`no matching subnet for range ${text}`);
  if (draft.ipRange !== undefined) {
    throw refusal(
      `cannot configure multiple ranges (${text}, ${draft.ipRange}) on the same subnet (${draft.text})`,
    );
  }
  draft.ipRange = text;
}

function placeGateway(drafts: readonly Draft[], text: string): void {
  const gateway = readAddress(text);
  const draft = drafts.find(({ prefix }) => contains(prefix, gateway));
  if (draft === undefined) throw refusal(`no matching subnet for gateway ${text}`);
  if (draft.gateway !== undefined) {
    throw refusal(
      `cannot configure multiple gateways (${text}, ${draft.gateway}) for the same subnet (${draft.text})`,
    );
  }
  draft.gateway = text;
}

function refusal(message: string, cause?: unknown): WeftError {
  return new WeftError("INVALID_IPAM_CONFIG", message, { cause });
}

function readPrefix(text: string): Prefix {
  try {
    return networkOf(parseInterfaceAddress(text));
  } catch (error) {
    throw isWeftError(error) ? refusal(error.message, error) : error;
  }
}

function readAddress(text: string): IpAddress {
  try {
    return parseAddress(text);
  } catch (error) {
    throw isWeftError(error) ? refusal(error.message, error) : error;
  }
}
