import { WeftError } from "../core/index.ts";

/** A sysctl as a record holds it: the path below /proc/sys, and the value as the kernel shows it. */
export type Sysctls = Readonly<Record<string, string>>;

/** What the name of an interface, of a setting and the like may be in a sysctl's path. */
const part = /^[A-Za-z0-9_-]+$/;

/**
 * The sysctls of a sandbox's own namespace, from their names with dots: `net.ipv4.ip_unprivileged_port_start`.
 * Throws INVALID_OPTION in Docker's words for what is not of the network, and for a namespace that is not the
 * sandbox's own.
 */
export function sandboxSysctls(
  sysctls: Readonly<Record<string, string>>,
  { hostNetns, foreign }: { readonly hostNetns: boolean; readonly foreign: boolean },
): Sysctls {
  const checked = Object.entries(sysctls).map(([name, value]) => {
    const parts = name.split(".");
    const [first, , group, link] = parts;
    if (first !== "net" || parts.length < 3 || !parts.every((one) => part.test(one)))
      throw refusal(`sysctl ${quoted(name)} is not allowed: it should begin with net.`);
    if (hostNetns) throw refusal(`sysctl ${quoted(name)} not allowed in host network namespace`);
    if (foreign)
      throw refusal(`sysctl ${quoted(name)} not allowed in a network namespace that something else made`);
    const ofLink = parts.length === 5 && (group === "conf" || group === "neigh");
    if (ofLink && !["all", "default", "lo"].includes(link ?? "")) {
      throw refusal(
        `sysctl ${quoted(name)} is not allowed: an interface's are set by the option ${endpointOption.sysctls} of its endpoint`,
      );
    }
    return [parts.join("/"), shownValue(name, value)] as const;
  });
  return Object.fromEntries(checked);
}

/** The options that every driver's endpoints have (LN §1.8). */
export const endpointOption = {
  ifname: "com.docker.network.endpoint.ifname",
  sysctls: "com.docker.network.endpoint.sysctls",
} as const;

/** What stands for the interface's name. */
const placeholder = "IFNAME";

/** A sysctl of an endpoint's interface. */
export interface InterfaceSysctl {
  /** The path below /proc/sys for an interface of that name. */
  readonly keyFor: (ifname: string) => string;
  readonly value: string;
}

/** The value of {@link endpointOption}.sysctls: `net.ipv4.conf.IFNAME.log_martians=1,...`. Throws INVALID_OPTION. */
export function interfaceSysctls(text: string): readonly InterfaceSysctl[] {
  if (text === "") return [];
  return text.split(",").map((one) => {
    const at = one.indexOf("=");
    const name = one.slice(0, at < 0 ? one.length : at).trim();
    const parts = name.split(".");
    const [net, family = "", , link] = parts;
    const fits =
      at >= 0 &&
      parts.length === 5 &&
      net === "net" &&
      link === placeholder &&
      ["ipv4", "ipv6", "mpls"].includes(family) &&
      parts.every((piece) => part.test(piece));
    if (!fits) {
      throw refusal(
        `unrecognised network interface sysctl '${one}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
      );
    }
    return {
      keyFor: (ifname) => parts.map((piece, i) => (i === 3 ? ifname : piece)).join("/"),
      value: shownValue(name, one.slice(at + 1)),
    };
  });
}

/** The kernel shows several numbers with tabs between them. */
function shownValue(name: string, value: string): string {
  const shown = value.trim().replace(/\s+/g, "\t");
  if (/^[\x21-\x7e\t]{1,255}$/.test(shown)) return shown;
  throw refusal(`invalid value of sysctl ${name}: ${quoted(value)} should be 1 to 255 printable characters`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function refusal(words: string): WeftError {
  return new WeftError("INVALID_OPTION", words);
}
