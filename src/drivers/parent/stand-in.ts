import { isWeftError, WeftError } from "../../core/index.ts";
import type { HostLink } from "../../facts/index.ts";
import { refuseAddresses } from "./addresses.ts";
import type { MadeParent, ParentFacts } from "./answer.ts";
import type { ParentRequest } from "./parent-request.ts";
import { refuseStrangers } from "./taken.ts";

/** What a stand-in is judged by. */
export type StandInFacts = Pick<ParentFacts, "link" | "linksOn" | "addressesOn">;

type Asked = Pick<ParentRequest, "use" | "spec">;

/**
 * Somebody else's link that is there in the place of a VLAN sub-interface of weft's and is the same to a network, which
 * could have named it as its parent: the host's own configuration may have taken the sub-interface over while weft was
 * away. Undefined when there is none.
 */
export function standIn(parent: MadeParent, asked: Asked, facts: StandInFacts): HostLink | undefined {
  const link = strangerAt(parent, facts);
  if (link === undefined) return undefined;
  try {
    refuseStranger(link, parent, asked, facts);
    return link;
  } catch (error) {
    if (isWeftError(error)) return undefined;
    throw error;
  }
}

/**
 * Throws PARENT_MISSING, PARENT_IN_USE, PARENT_HAS_ADDRESSES when somebody else's link has the name of that VLAN
 * sub-interface of weft's and cannot stand in for it: what is put on it would be on another wire, or take it away from
 * others.
 */
export function refuseNoStandIn(parent: MadeParent, asked: Asked, facts: StandInFacts): void {
  const link = strangerAt(parent, facts);
  if (link !== undefined) refuseStranger(link, parent, asked, facts);
}

function strangerAt({ link: name }: MadeParent, facts: StandInFacts): HostLink | undefined {
  const link = facts.link(name);
  return link?.ours === false ? link : undefined;
}

function refuseStranger(
  link: HostLink,
  { link: name, vlan: { parent, id } }: MadeParent,
  asked: Asked,
  facts: StandInFacts,
): void {
  const { vlan } = link;
  if (vlan?.parent !== parent || vlan.id !== id || vlan.protocol !== "802.1Q")
    throw new WeftError(
      "PARENT_MISSING",
      `parent interface ${name} is not there any more: an interface of somebody else's that is not VLAN ${id} of ` +
        `${parent} has its name: remove that one or give it another name, and weft makes its own again`,
    );
  refuseStrangers(link, asked, facts);
  if (asked.use !== "bridge port" && asked.use !== "macvlan passthru") return;
  const instead = "weft uses it as it is, or remove it, and weft makes its own again";
  refuseAddresses(link.name, instead, facts);
}
