import { addressPart, familyOf, leastMtu } from "../../core/index.ts";
import { alsoProvides, type Identity, identityOf, type KernelObject, linkIdentity } from "../objects.ts";

/** What Linux gives a link of which nobody says otherwise, bytes. */
const defaultMtu = 1500;

const settingOfLink = /^net\/ipv6\/conf\/(?!(?:all|default)\/)([^/]+)\/(\w+)$/;

/** What the IPv6 settings of a new link are, where that is not 0. */
const initialSettings: ReadonlyMap<string, string> = new Map([
  ["accept_ra", "1"],
  ["autoconf", "1"],
  ["ra_defrtr_metric", "1024"],
]);

/** The value of a link's IPv6 setting that nobody wrote since the link got IPv6; undefined for other sysctls. */
export function initialSetting(key: string): string | undefined {
  const name = settingOfLink.exec(key)?.[2];
  return name === undefined ? undefined : (initialSettings.get(name) ?? "0");
}

/** The link without whose IPv6 the object cannot be. */
export function ipv6LinkOf(object: KernelObject): Identity | undefined {
  switch (object.kind) {
    case "sysctl": {
      const link = settingOfLink.exec(object.key)?.[1];
      return link === undefined ? undefined : linkIdentity(object.netns, link);
    }
    case "address":
      return familyOf(addressPart(object.address)) === 6
        ? linkIdentity(object.netns, object.link)
        : undefined;
    case "route":
      return familyOf(object.destination) === 6 ? linkIdentity(object.netns, object.link) : undefined;
    default:
      return undefined;
  }
}

/**
 * The links, an object's own and what comes with it, that have no IPv6: addrconf_notify() of net/ipv6/addrconf.c ends
 * it below the least MTU, with all addresses, routes and settings, and begins anew with a larger one.
 */
export function linksWithoutIpv6(object: KernelObject): readonly Identity[] {
  if (object.kind !== "link" || (object.mtu ?? defaultMtu) >= leastMtu.ipv6) return [];
  return [identityOf(object), ...alsoProvides(object)];
}
