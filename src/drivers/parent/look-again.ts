import { deepEqual } from "../../core/index.ts";
import { adoptedParent } from "./adopted.ts";
import type { ParentAnswer, ParentFacts } from "./answer.ts";

/**
 * What is found of a parent now: its MTU may have changed. The same answer when nothing has, and when it is
 * not there: then what was last known of it holds until it comes back.
 */
export function lookAgain(parent: ParentAnswer, facts: Pick<ParentFacts, "link">): ParentAnswer {
  switch (parent.origin) {
    case "dummy":
      return parent;
    case "made": {
      const mtu = facts.link(parent.vlan.parent)?.mtu ?? parent.mtu;
      return mtu === parent.mtu ? parent : { ...parent, mtu };
    }
    case "adopted": {
      const link = facts.link(parent.link);
      const now = link === undefined ? parent : adoptedParent(link);
      return deepEqual(now, parent) ? parent : now;
    }
  }
}
