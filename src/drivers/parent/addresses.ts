import { WeftError } from "../../core/index.ts";
import type { ParentFacts } from "./answer.ts";

/**
 * Throws PARENT_HAS_ADDRESSES for a link of which somebody else is to get all that comes: nobody would answer at the
 * host's addresses there. `instead` is what may be done besides removing them.
 */
export function refuseAddresses(
  parent: string,
  instead: string,
  facts: Pick<ParentFacts, "addressesOn">,
): void {
  const addresses = facts.addressesOn(parent);
  if (addresses.length === 0) return;
  throw new WeftError(
    "PARENT_HAS_ADDRESSES",
    `parent interface ${parent} has addresses of its own, which the host would lose: ${addresses.join(", ")}: ` +
      `remove them first and ${instead}`,
  );
}
