import { WeftError } from "../core/index.ts";
import type { Driver } from "../drivers/index.ts";
import type { NetworkRecord } from "./records.ts";

/** Where a network is to live. Throws NETWORK_SCOPE, and INVALID_OPTION for what is no scope (LN §1.2). */
export function scopeOf(
  { name, capabilities }: Pick<Driver, "name" | "capabilities">,
  wanted: string | undefined,
): NetworkRecord["scope"] {
  if (wanted === undefined || wanted === "" || wanted === capabilities.scope) return capabilities.scope;
  switch (wanted) {
    case "local":
      throw new WeftError("NETWORK_SCOPE", `cannot downgrade network scope for ${name} networks`);
    case "global":
      throw new WeftError(
        "NETWORK_SCOPE",
        `cannot upgrade network scope for ${name} networks: they live on one host`,
      );
    case "swarm":
      throw new WeftError("NETWORK_SCOPE", "cannot create a swarm scoped network when swarm is not active");
    default:
      throw new WeftError(
        "INVALID_OPTION",
        `invalid network scope ${JSON.stringify(wanted)}: it should be ${capabilities.scope}`,
      );
  }
}
