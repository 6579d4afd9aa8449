import type { DriverNetwork } from "../contract.ts";
import { lacksIpv6 } from "../ipv6-sysctls.ts";
import { tooSmallForIpv6 } from "../parent/index.ts";
import type { BridgeAnswer, BridgeFacts } from "./facts.ts";
import type { BridgeOptions } from "./options.ts";
import { bridgeHasIpv6, givenMtu } from "./plan.ts";

/**
 * The answer with what is found now, by `isSmall`, of links whose MTU others choose: with one that is too small for IPv6,
 * Linux has no settings of it there, and they can be wanted again only when it has grown.
 */
export function withSmallLinks(
  { smallLinks: _former, ...answer }: BridgeAnswer,
  options: Pick<BridgeOptions, "mtu">,
  isSmall: (link: string) => boolean,
): BridgeAnswer {
  const { bridge, advertisedLinks, forwardingLinks } = answer;
  const others = [...advertisedLinks, ...(forwardingLinks?.[6] ?? [])];
  const asked = new Set(givenMtu(options, answer) === undefined ? [bridge, ...others] : others);
  const smallLinks = [...asked].filter(isSmall).sort();
  return smallLinks.length === 0 ? answer : { ...answer, smallLinks };
}

/** Throws INVALID_OPTION when the host is to have IPv6 on a bridge of somebody else's whose MTU is too small for it. */
export function refuseSmallBridge(
  network: Pick<DriverNetwork, "ipv6">,
  options: Pick<BridgeOptions, "gatewayMode">,
  bridge: string,
  { parents }: Pick<BridgeFacts, "parents">,
): void {
  const mtu = parents.link(bridge)?.mtu;
  if (mtu !== undefined && lacksIpv6(mtu) && bridgeHasIpv6(network, options))
    throw tooSmallForIpv6(`bridge ${bridge}`, mtu);
}
