import type { KernelObject, NetnsRef } from "../kernel/index.ts";

/**
 * Without IPv6 the link gets no address of it, not even a link-local one. With it, router
 * advertisements are not listened to: any sandbox could send them (CVE-2020-13401).
 */
export function ipv6Sysctls(netns: NetnsRef, link: string, ipv6: boolean): KernelObject[] {
  const sysctl = (name: string, value: string): KernelObject => ({
    kind: "sysctl",
    netns,
    key: `net/ipv6/conf/${link}/${name}`,
    value,
    link,
  });
  return ipv6 ? [sysctl("disable_ipv6", "0"), sysctl("accept_ra", "0")] : [sysctl("disable_ipv6", "1")];
}
