import { leastMtu, WeftError } from "../core/index.ts";
import type { KernelObject, NetnsRef } from "../kernel/index.ts";

/**
 * Without IPv6 the link gets no address of it, not even a link-local one. With it, router
 * advertisements are not listened to: any sandbox could send them (CVE-2020-13401). `mtu` is the link's, in bytes;
 * the kernel's default for the link without.
 */
export function ipv6Sysctls(
  netns: NetnsRef,
  link: string,
  ipv6: boolean,
  mtu: number | undefined,
): KernelObject[] {
  if (ipv6) return [ipv6Sysctl(netns, link, "disable_ipv6", "0"), ipv6Sysctl(netns, link, "accept_ra", "0")];
  return lacksIpv6(mtu) ? [] : [ipv6Sysctl(netns, link, "disable_ipv6", "1")];
}

/**
 * True for the MTU of a link that Linux has no IPv6 on: there is nothing to turn off, and no file to write that to.
 * With a larger one Linux begins anew, with its own settings.
 */
export function lacksIpv6(mtu: number | undefined): boolean {
  return mtu !== undefined && mtu < leastMtu.ipv6;
}

/**
 * For a link on a wire of others, where a router says by advertisements who it is. Its default route is taken
 * and ranks behind one of weft's own, where the kernel can tell them apart (`ranks`). Its prefixes lead to no
 * address besides those that IPAM gave: what answers there is what the records say.
 */
export function advertisedSysctls(netns: NetnsRef, link: string, ranks: boolean): KernelObject[] {
  return [
    ipv6Sysctl(netns, link, "disable_ipv6", "0"),
    ipv6Sysctl(netns, link, "accept_ra", "1"),
    ipv6Sysctl(netns, link, "autoconf", "0"),
    ...(ranks ? [ipv6Sysctl(netns, link, "ra_defrtr_metric", advertisedMetric)] : []),
  ];
}

/** Behind 1024, which the kernel gives to routes that name no metric. */
const advertisedMetric = "2048";

/** For a link by which its owner lives: what it does about router advertisements is the owner's choice. */
export function enabledSysctl(netns: NetnsRef, link: string): KernelObject {
  return ipv6Sysctl(netns, link, "disable_ipv6", "0");
}

function ipv6Sysctl(netns: NetnsRef, link: string, name: string, value: string): KernelObject {
  return { kind: "sysctl", netns, key: `net/ipv6/conf/${link}/${name}`, value, link };
}

/** Throws FEATURE_MISSING when the network is to have IPv6 and this kernel runs without. */
export function refuseWithoutIpv6({ ipv6 }: { readonly ipv6: boolean }, available: boolean): void {
  if (!ipv6 || available) return;
  throw new WeftError(
    "FEATURE_MISSING",
    "IPv6 is not enabled in this kernel: boot without ipv6.disable=1, or create the network without IPv6",
  );
}
