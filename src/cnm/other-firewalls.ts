import { deepEqual } from "../core/index.ts";
import { hostNetns } from "../kernel/index.ts";
import type { Changes, OwnerId, Wanted } from "../plan/index.ts";
import type { Context } from "./context.ts";

/** What the owners of that begin with which weft needs of the host for all of its networks together. */
const hostOwners = "host:";

/** What hands frames on bridges to the rules for IP packets (br_netfilter); only there once that is loaded. */
const bridgeNetfilterKeys = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"];

/** Finds out what other firewalls there are on the host. Throws KernelError. */
export function lookForFirewalls({ facts, otherFirewalls, keepBridgeNetfilter }: Context): void {
  otherFirewalls.chains = facts.foreignForwardChains();
  const alone = otherFirewalls.chains.length === 0 && !facts.usesLegacyIptables();
  otherFirewalls.idleBridgeNetfilter =
    alone && !keepBridgeNetfilter ? bridgeNetfilterKeys.filter((key) => facts.sysctl(key) !== undefined) : [];
}

/**
 * While there is a network whose traffic the host forwards: one rule in each chain of another firewall that
 * would drop it, and no detour of frames within a bridge when there is no other firewall that might count
 * on it. weft's own isolation does not. Each chain has an owner of its own: one may be closed to weft.
 */
export function firewallChange(context: Context): Changes {
  const { chains, idleBridgeNetfilter, owners } = context.otherFirewalls;
  const change = new Map<OwnerId, readonly Wanted[]>([...owners].map((owner) => [owner, []]));
  if (!forwards(context)) return change;
  for (const { family, table, chain, drops } of chains) {
    if (!drops) continue;
    change.set(`${hostOwners}${family} ${table} ${chain}`, [
      { object: { kind: "accept-rule", netns: hostNetns, family, table, chain } },
    ]);
  }
  const sysctls = idleBridgeNetfilter.map(
    (key): Wanted => ({ object: { kind: "sysctl", netns: hostNetns, key, value: "0" } }),
  );
  if (sysctls.length > 0) change.set(`${hostOwners}br_netfilter`, sysctls);
  return change;
}

/** Brings the host to what {@link firewallChange} says now. What cannot be done is told as an event. */
export async function followFirewalls(context: Context): Promise<void> {
  const { reconciler, events, otherFirewalls } = context;
  for (const [owner, wanted] of firewallChange(context)) {
    if (wanted.length === 0) otherFirewalls.owners.delete(owner);
    else otherFirewalls.owners.add(owner);
    if (deepEqual(wanted, reconciler.desired.wantedBy(owner))) continue;
    try {
      await reconciler.change(new Map([[owner, wanted]]));
      otherFirewalls.refused.delete(owner);
    } catch (error) {
      if (!otherFirewalls.refused.has(owner)) events.emit({ event: "follow-failed", what: owner, error });
      otherFirewalls.refused.add(owner); // tried again with the next change, but told once
    }
  }
}

/** True once there is a network whose traffic the host forwards; found at the first one that does. */
function forwards({ tables, drivers }: Context): boolean {
  for (const { state, driver } of tables.networks.all())
    if (state !== "deleting" && drivers.get(driver)?.capabilities.forwards === true) return true;
  return false;
}
