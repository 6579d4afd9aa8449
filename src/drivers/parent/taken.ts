import { WeftError } from "../../core/index.ts";
import type { HostLink } from "../../facts/index.ts";
import type { ParentFacts, ParentUse, ParentUser } from "./answer.ts";

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
 * net/core/dev.c), and a macvlan in mode passthru takes all of them.
 */
export function refuseTaken(link: HostLink | string, use: ParentUse, facts: ParentFacts): void {
  const name = typeof link === "string" ? link : link.name;
  const user = facts.users().find((one) => one.parent.link === name && !goTogether(one.use, use));
  if (user !== undefined)
    throw new WeftError(
      "PARENT_IN_USE",
      `network ${user.network} is already using parent interface ${name}${because(user, use)}`,
    );
  if (typeof link !== "string") refuseStrangers(link, use, facts);
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

/** What other programs have built on the link, as far as it can be seen in the host's namespace. */
function refuseStrangers(link: HostLink, use: ParentUse, facts: ParentFacts): void {
  const master = link.master === undefined ? undefined : facts.link(link.master);
  // A VRF takes no frames: its members' come to themselves.
  if (link.master !== undefined && master?.kind !== "vrf")
    throw new WeftError(
      "PARENT_IN_USE",
      `parent interface ${link.name} is a port of ${link.master}, which gets its frames: name ${link.master} as parent, or take it out first`,
    );
  const wanted = use === "macvlan" ? "macvlan" : use === "ipvlan" ? "ipvlan" : undefined;
  const other = facts
    .linksOn(link.name)
    .find(({ kind }) => familyOfKind[kind] !== undefined && familyOfKind[kind] !== wanted);
  if (other !== undefined)
    throw new WeftError(
      "PARENT_IN_USE",
      `parent interface ${link.name} has ${other.name} on it, of kind ${other.kind}: it cannot serve ${use} besides`,
    );
}
