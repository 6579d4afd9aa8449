import { WeftError } from "../../core/index.ts";
import type { DriverNetwork } from "../contract.ts";
import type { ParentAnswer } from "./answer.ts";

/** The least MTU that IPv6 works with, bytes (RFC 8200 §5). */
const leastIpv6Mtu = 1280;

/** Throws INVALID_OPTION when a network cannot have the MTU `mtu`, in bytes, on that parent, or IPv6 on it. */
export function refuseMtu(
  { ipv6 }: Pick<DriverNetwork, "ipv6">,
  { mtu }: { readonly mtu: number | undefined },
  { link, mtu: most }: Pick<ParentAnswer, "link" | "mtu">,
): void {
  if (mtu !== undefined && mtu > most) {
    throw new WeftError(
      "INVALID_OPTION",
      `invalid MTU number: ${mtu}: parent interface ${link} has ${most}, and no link on it can have more`,
    );
  }
  if (ipv6 && most < leastIpv6Mtu) {
    throw new WeftError(
      "INVALID_OPTION",
      `parent interface ${link} has an MTU of ${most}: IPv6 needs ${leastIpv6Mtu} at least`,
    );
  }
}
