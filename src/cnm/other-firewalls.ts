import { deepEqual } from "../core/index.ts";
import { hostNetns } from "../kernel/index.ts";
import type { Changes, Wanted } from "../plan/index.ts";
import type { Context } from "./context.ts";

/** The owner of what weft needs of the host for all of its networks together. */
export const hostOwner = "host";

/** What hands frames on bridges to the rules for IP packets (br_netfilter); only there once that is loaded. */
const bridgeNetfilterKeys = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"];

/** Finds out what other firewalls there are on the host. Throws KernelError. */
export function lookForFirewalls(context: Context): void {
  const { facts, otherFirewalls, keepBridgeNetfilter } = context;
  otherFirewalls.chains = facts.foreignForwardChains();
  const alone = otherFirewalls.chains.length === 0 && !facts.usesLegacyIptables();
  otherFirewalls.idleBridgeNetfilter =
    alone && !keepBridgeNetfilter ? bridgeNetfilterKeys.filter((key) => facts.sysctl(key) !== undefined) : [];
}

/**
 * While there is a network whose traffic the host forwards: one rule in each chain of another firewall that
 * would drop it, and no detour of frames within a bridge when there is no other firewall that might count
 * on it. weft's own isolation does not.
 */
export function firewallChange(context: Context): Changes {
  const { otherFirewalls } = context;
  if (!forwards(context)) return new Map([[hostOwner, []]]);
  const rules = otherFirewalls.chains
    .filter(({ drops }) => drops)
    .map(
      ({ family, table, chain }): Wanted => ({
        object: { kind: "accept-rule", netns: hostNetns, family, table, chain },
      }),
    );
  const sysctls = otherFirewalls.idleBridgeNetfilter.map(
    (key): Wanted => ({ object: { kind: "sysctl", netns: hostNetns, key, value: "0" } }),
  );
  return new Map([[hostOwner, [...rules, ...sysctls]]]);
}

/** Brings the host to what {@link firewallChange} says now. What cannot be done is told as an event. */
export async function followFirewalls(context: Context): Promise<void> {
  const { reconciler, events } = context;
  const change = firewallChange(context);
  if (deepEqual(change.get(hostOwner), reconciler.desired.wantedBy(hostOwner))) return;
  try {
    await reconciler.change(change);
  } catch (error) {
    events.emit({ event: "follow-failed", what: "other firewalls", error });
  }
}

/** True once there is a network whose traffic the host forwards; found at the first one that does. */
function forwards({ tables, drivers }: Context): boolean {
  for (const { state, driver } of tables.networks.all())
    if (state !== "deleting" && drivers.get(driver)?.capabilities.forwards === true) return true;
  return false;
}
