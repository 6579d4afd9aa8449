import { leastMtu, WeftError } from "../../core/index.ts";
import type { DriverNetwork } from "../contract.ts";
import { lacksIpv6 } from "../ipv6-sysctls.ts";
import type { ParentAnswer } from "./answer.ts";

/** Throws INVALID_OPTION when a network cannot have the MTU `mtu`, in bytes, on that parent, or IPv6 on it. */
export function refuseMtu(
  network: Pick<DriverNetwork, "ipv6">,
  { mtu }: { readonly mtu: number | undefined },
  parent: Pick<ParentAnswer, "link" | "mtu">,
): void {
  const { link, mtu: most } = parent;
  if (mtu !== undefined && mtu > most) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid MTU number: ${mtu}: parent interface ${link} has ${most}, and no link on it can have more`,
    );
  }
  refuseSmallMtu(network, parent);
}

/**
 * Throws INVALID_OPTION when a network is to have IPv6, and its parent's MTU is too small for that. Asked also when
 * an endpoint joins: the parent's MTU may have shrunk since the network was made. What the user chose for the network
 * is no reason to refuse then, for no link gets more than its parent has.
 */
export function refuseSmallMtu(
  { ipv6 }: Pick<DriverNetwork, "ipv6">,
  { link, mtu }: Pick<ParentAnswer, "link" | "mtu">,
): void {
  if (ipv6 && lacksIpv6(mtu)) throw tooSmallForIpv6(`parent interface ${link}`, mtu);
}

/** INVALID_OPTION for a link, named with what it is, on which there can be no IPv6 for want of MTU, in bytes. */
export function tooSmallForIpv6(link: string, mtu: number): WeftError {
  return new WeftError(
    "INVALID_OPTION",
    `${link} has an MTU of ${mtu}: IPv6 needs ${leastMtu.ipv6} at least`,
  );
}
