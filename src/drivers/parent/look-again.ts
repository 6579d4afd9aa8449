import { deepEqual } from "../../core/index.ts";
import type { HostLink } from "../../facts/index.ts";
import { adoptedParent } from "./adopted.ts";
import type { MadeParent, ParentAnswer } from "./answer.ts";
import type { ParentRequest } from "./parent-request.ts";
import { type StandInFacts, standIn } from "./stand-in.ts";

/**
 * What is found of a parent now: its MTU may have changed, and a VLAN sub-interface of weft's may have become somebody
 * else's. The same answer when nothing has, and when it is not there: then what was last known of it holds until it
 * comes back.
 */
export function lookAgain(
  parent: ParentAnswer,
  asked: Pick<ParentRequest, "use" | "spec">,
  facts: StandInFacts,
): ParentAnswer {
  switch (parent.origin) {
    case "dummy":
      return parent;
    case "made": {
      const now = withBelow(parent, facts.link(parent.vlan.parent));
      const stranger = standIn(now, asked, facts);
      if (stranger !== undefined) return adoptedParent(stranger);
      return deepEqual(now, parent) ? parent : now;
    }
    case "adopted": {
      const link = facts.link(parent.link);
      const now = link === undefined ? parent : adoptedParent(link);
      return deepEqual(now, parent) ? parent : now;
    }
  }
}

/** By the own name of the link below, which may have been recorded by another one that it has besides. */
function withBelow(parent: MadeParent, below: HostLink | undefined): MadeParent {
  if (below === undefined) return parent;
  return { ...parent, mtu: below.mtu, vlan: { ...parent.vlan, parent: below.name } };
}
