import { WeftError } from "../../core/index.ts";
import type { HostLink } from "../../facts/index.ts";
import type { ParentFacts, ParentUse, ParentUser } from "./answer.ts";
import type { ParentRequest } from "./parent-request.ts";

/** Kinds of links that take in their parent's frames: those of macvlan's family, and of ipvlan's. */
const familyOfKind: Readonly<Record<string, "macvlan" | "ipvlan">> = {
  macvlan: "macvlan",
  macvtap: "macvlan",
  ipvlan: "ipvlan",
  ipvtap: "ipvlan",
};

/**
 * Throws PARENT_IN_USE when the link cannot be used so: frames that come to a link go to one taker, which is
 * the macvlans on it, the ipvlans on it or the bridge that it is a port of (one rx_handler,
 * net/core/dev.c), and a macvlan in mode passthru takes all of them. All ipvlans of a link have one mode and flag
 * (drivers/net/ipvlan/ipvlan_main.c), so another's would be given those of the network.
 */
export function refuseTaken(
  link: HostLink | string,
  { use, spec }: Pick<ParentRequest, "use" | "spec">,
  facts: ParentFacts,
): void {
  const name = typeof link === "string" ? link : link.name;
  const user = facts.users().find((one) => one.parent.link === name && !goTogether(one.use, use));
  if (user !== undefined)
    throw new WeftError(
      "PARENT_IN_USE",
      `network ${user.network} is already using parent interface ${name}${because(user, use)}`,
    );
  if (typeof link !== "string") refuseStrangers(link, { use, spec }, facts);
}

function goTogether(there: ParentUse, asked: ParentUse): boolean {
  return there === "macvlan" && asked === "macvlan";
}

function because({ use }: ParentUser, asked: ParentUse): string {
  if (use === asked) return `: it serves one ${asked} network`;
  if (asked === "macvlan passthru") return ", which mode passthru needs for itself";
  if (use === "macvlan passthru") return " in mode passthru, which leaves no room for another";
  return ` (${use}): it cannot serve ${asked} besides`;
}

/** Throws PARENT_IN_USE for what other programs have built on the link, as far as it can be seen in the host's namespace. */
export function refuseStrangers(
  link: HostLink,
  { use, spec }: Pick<ParentRequest, "use" | "spec">,
  facts: Pick<ParentFacts, "link" | "linksOn">,
): void {
  const master = link.master === undefined ? undefined : facts.link(link.master);
  // A VRF takes no frames: its members' come to themselves. But a port of a bridge is no member of it any more.
  if (link.master !== undefined && (master?.kind !== "vrf" || use === "bridge port")) {
    const because =
      master?.kind === "vrf"
        ? `is a member of VRF ${link.master}, which it would leave: take it out first`
        : `is a port of ${link.master}, which gets its frames: name ${link.master} as parent, or take it out first`;
    throw new WeftError("PARENT_IN_USE", `parent interface ${link.name} ${because}`);
  }
  for (const other of facts.linksOn(link.name)) {
    const why = whyNotBeside(other, use, spec);
    if (why !== undefined)
      throw new WeftError("PARENT_IN_USE", `parent interface ${link.name} has ${other.name} on it, ${why}`);
  }
}

/** Why a link cannot be on one parent with `other`, which is; undefined when it can. */
function whyNotBeside(
  { kind, onParent }: HostLink,
  use: ParentUse,
  spec: ParentRequest["spec"],
): string | undefined {
  const family = familyOfKind[kind];
  if (family === undefined) return undefined;
  if (family !== use) return `of kind ${kind}: it cannot serve ${use} besides`;
  if (family === "macvlan" && onParent?.mode === "passthru")
    return "in mode passthru, which leaves no room for another";
  if (spec?.type !== "ipvlan" || (onParent?.mode === spec.mode && onParent.flag === spec.flag))
    return undefined;
  const { mode = "unknown", flag = "unknown" } = onParent ?? {};
  return (
    `of kind ${kind}, mode ${mode} and flag ${flag}: all ipvlans of a parent have one mode and flag, ` +
    `so it would be changed to ${spec.mode} and ${spec.flag}`
  );
}
