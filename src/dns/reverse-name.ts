import { addressFromBytes, type IpAddress } from "../core/index.ts";
import type { NameKey } from "./name.ts";

const v4Suffix = ".in-addr.arpa";
const v6Suffix = ".ip6.arpa";
const decimalByte = /^(0|[1-9][0-9]{0,2})$/;
const nibble = /^[0-9a-f]$/;

/** The address that a reverse name stands for (RFC 1035 §3.5, RFC 3596 §2.5); undefined for any other name. */
export function addressOfReverseName(name: NameKey): IpAddress | undefined {
  if (name.endsWith(v4Suffix)) return ipv4Of(name.slice(0, -v4Suffix.length).split("."));
  if (name.endsWith(v6Suffix)) return ipv6Of(name.slice(0, -v6Suffix.length).split("."));
  return undefined;
}

function ipv4Of(labels: readonly string[]): IpAddress | undefined {
  if (labels.length !== 4) return undefined;
  if (!labels.every((label) => decimalByte.test(label) && Number(label) < 256)) return undefined;
  return addressFromBytes(Uint8Array.from(labels, Number).reverse());
}

function ipv6Of(labels: readonly string[]): IpAddress | undefined {
  if (labels.length !== 32 || !labels.every((label) => nibble.test(label))) return undefined;
  return addressFromBytes(Buffer.from([...labels].reverse().join(""), "hex"));
}

/** `count` zones from `first` on, all under `parent`. */
function zones(first: number, count: number, parent: string): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${first + i}.${parent}`);
}

/** `levels` zeros of a reverse IPv6 name. */
const zeros = (levels: number) => "0.".repeat(levels);

/**
 * Reverse zones of addresses that no public server knows: private, shared, loopback, link-local,
 * documentation and unique local ones (RFC 6303 §4, RFC 7793).
 */
const privateZones: ReadonlySet<string> = new Set([
  ...["0", "10", "127", "254.169", "168.192"].map((zone) => `${zone}.in-addr.arpa`),
  ...["2.0.192", "100.51.198", "113.0.203", "255.255.255.255"].map((zone) => `${zone}.in-addr.arpa`),
  ...zones(16, 16, "172.in-addr.arpa"),
  ...zones(64, 64, "100.in-addr.arpa"),
  ...["c.f", "d.f", "8.e.f", "9.e.f", "a.e.f", "b.e.f", "8.b.d.0.1.0.0.2"].map((zone) => `${zone}.ip6.arpa`),
  `${zeros(32)}ip6.arpa`,
  `1.${zeros(31)}ip6.arpa`,
]);

/** True for a name in a reverse zone of private addresses, which it would be of no use to ask others. */
export function isPrivateReverseName(name: NameKey): boolean {
  if (!name.endsWith(".arpa")) return false;
  let zone = name;
  while (!privateZones.has(zone)) {
    const dot = zone.indexOf(".");
    if (dot < 0) return false;
    zone = zone.slice(dot + 1);
  }
  return true;
}
