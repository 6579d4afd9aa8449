import { type IpAddress, isWeftError, parseAddress } from "../core/index.ts";

/** A name server of a resolv.conf. */
export interface NameServer {
  readonly address: IpAddress;
  /** The interface that a link-local address is behind: `fe80::1%eth0`. */
  readonly zone?: string;
}

/** What a resolv.conf says; resolv.conf(5). */
export interface ResolvConf {
  /** In order, those that are addresses. */
  readonly nameservers: readonly NameServer[];
  /** The last `search` or `domain` line's. */
  readonly search: readonly string[];
  /** Of all `options` lines. */
  readonly options: readonly string[];
}

/** The text read last, and what it says: a start plans a thousand sandboxes with the host's. */
let last: { readonly text: string; readonly says: ResolvConf } | undefined;

/** Reads a resolv.conf. Lines that cannot be understood are passed over, as the C library does. */
export function parseResolvConf(text: string): ResolvConf {
  if (last?.text !== text) last = { text, says: parse(text) };
  return last.says;
}

function parse(text: string): ResolvConf {
  const nameservers: NameServer[] = [];
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    if (/^[#;]/.test(line)) continue;
    const [keyword, ...values] = line.split(/[ \t\r]+/).filter((word) => word !== "");
    if (keyword === "nameserver") nameservers.push(...serverIn(values[0]));
    else if (keyword === "search") search = values;
    else if (keyword === "domain") search = values.slice(0, 1);
    else if (keyword === "options") options.push(...values);
  }
  return { nameservers, search, options };
}

function serverIn(text: string | undefined): NameServer[] {
  try {
    const [address = "", zone] = (text ?? "").split("%", 2);
    return [{ address: parseAddress(address), ...(zone === undefined ? {} : { zone }) }];
  } catch (error) {
    if (isWeftError(error, "INVALID_ADDRESS")) return [];
    throw error;
  }
}
