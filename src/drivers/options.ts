import { type Family, familyOf, type IpAddress, leastMtu, parseAddress, WeftError } from "../core/index.ts";
import type { DriverOptions } from "./contract.ts";

/** The option of networks on the wire, whatever their driver, that turns {@link probesForConflicts} off. */
export const conflictProbeOption = "weft.conflict_probe";

/**
 * Whether others on the wire are asked for an address before a sandbox of the network takes it: yes, unless its
 * options say `weft.conflict_probe=false`. Throws INVALID_OPTION.
 */
export function probesForConflicts(options: DriverOptions): boolean {
  return booleanOption(options, conflictProbeOption, true);
}

/** Throws UNKNOWN_OPTION when `options` has a name that is not in `known`, nor one that weft itself reads. */
export function refuseUnknownOptions(driver: string, options: DriverOptions, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name) || name === conflictProbeOption) continue;
    const knows = known.length === 0 ? "it has none" : `it knows ${[...known].sort().join(", ")}`;
    throw new WeftError(
      "UNKNOWN_OPTION",
      `unknown option ${JSON.stringify(name)} for driver ${driver}: ${knows}`,
    );
  }
}

/** A boolean as strconv.ParseBool of the reference reads it; empty means true, as `-o name=` does there. Throws INVALID_OPTION. */
export function booleanOption(options: DriverOptions, name: string, fallback: boolean): boolean {
  const text = options[name];
  if (text === undefined) return fallback;
  if (["1", "t", "T", "true", "TRUE", "True", ""].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new WeftError(
    "INVALID_OPTION",
    `failed to parse ${name} value: ${JSON.stringify(text)} should be true or false`,
  );
}

/** The largest MTU that a veth takes, bytes (ETH_MAX_MTU). */
const maxMtu = 65535;

/** An MTU in bytes; 0 and absent leave it to the kernel. Throws INVALID_OPTION. */
export function mtuOption(options: DriverOptions, name: string, ipv6: boolean): number | undefined {
  const text = options[name];
  if (text === undefined || text === "0") return undefined;
  const least = ipv6 ? leastMtu.ipv6 : leastMtu.ipv4;
  const mtu = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (mtu < least || mtu > maxMtu) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid MTU number: ${text}: it should be from ${least} to ${maxMtu}`,
    );
  }
  return mtu;
}

/** An address of one family; none when the option is absent or empty. Throws INVALID_OPTION. */
export function addressOption(options: DriverOptions, name: string, family: Family): IpAddress | undefined {
  const text = options[name] ?? "";
  if (text === "") return undefined;
  try {
    const address = parseAddress(text);
    if (familyOf(address) === family) return address;
  } catch {
    // Told below.
  }
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${name} ${JSON.stringify(text)}: it should be an IPv${family} address`,
  );
}

const nameCharacters = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/;

/** The name of a Linux interface: at most `most` bytes (15 for a whole name). Throws INVALID_OPTION. */
export function interfaceNameOption(options: DriverOptions, name: string, most: number): string | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  checkInterfaceName(text, name, most);
  return text;
}

/** The prefix of the interfaces' names in sandboxes, which leaves room for two digits; `eth`. Throws INVALID_OPTION. */
export function interfacePrefixOption(options: DriverOptions, name: string): string {
  const prefix = options[name] ?? "eth";
  checkInterfaceName(prefix, name, 13);
  return prefix;
}

/** Throws INVALID_OPTION unless `text` can name an interface; `what` says in the message what it is. */
export function checkInterfaceName(text: string, what: string, most = 15): void {
  if (nameCharacters.test(text) && text.length <= most) return;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${what} ${JSON.stringify(text)}: it should be 1 to ${most} letters, digits, and _ . @ + - after the first`,
  );
}
