import type { Family } from "../core/index.ts";
import { type HostFacts, isForwarding } from "../facts/index.ts";
import { hostNetns, identityOf, type SysctlObject } from "../kernel/index.ts";
import type { Journal } from "../plan/index.ts";

type Facts = Pick<HostFacts, "sysctl" | "linkKind" | "linksWith">;

/** `net/ipv4/conf/NAME/forwarding`; what is of `all` is the host's as a whole. */
const perLink = /^net\/ipv([46])\/conf\/(?!all\/)([^/]+)\/forwarding$/;

/** Whether the host as a whole forwarded before weft ever touched that: once weft has, it stands in the journal. */
export function forwardedBefore(facts: Facts, journal: Journal, family: Family): boolean {
  const former = formerOfHost(journal, family);
  return former === undefined ? isForwarding(facts, family) : former !== "0";
}

/**
 * The links of others that forwarding was on for before weft ever touched that, and `default` if it was for links
 * to come. None where the host forwarded as a whole: then weft changes nothing of it.
 */
export function forwardingLinksBefore(facts: Facts, journal: Journal, family: Family): readonly string[] {
  if (forwardedBefore(facts, journal, family)) return [];
  if (formerOfHost(journal, family) === undefined) {
    const byDefault = (facts.sysctl(`net/ipv${family}/conf/default/forwarding`) ?? "0") !== "0";
    return [...facts.linksWith(family, "forwarding"), ...(byDefault ? ["default"] : [])];
  }
  const names: string[] = [];
  for (const { object, former } of journal.entries()) {
    const [, version, name] = (object.kind === "sysctl" && perLink.exec(object.key)) || [];
    if (name === undefined || Number(version) !== family) continue;
    if (former?.kind !== "sysctl" || former.value === "0") continue;
    if (name === "default" || facts.linkKind(name) !== undefined) names.push(name);
  }
  return names;
}

function formerOfHost(journal: Journal, family: Family): string | undefined {
  const key = family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  const sysctl: SysctlObject = { kind: "sysctl", netns: hostNetns, key, value: "1" };
  const former = journal.get(identityOf(sysctl))?.former;
  return former?.kind === "sysctl" ? former.value : undefined;
}
