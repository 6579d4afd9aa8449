import { hostNetns } from "../kernel/index.ts";
import type { Changes, Wanted } from "../plan/index.ts";
import type { Context } from "./context.ts";

/** The owner of what weft needs of the host for all of its networks together. */
export const hostOwner = "host";

/**
 * What lets weft's traffic pass other firewalls: one rule in each chain that would drop it, while there is
 * a network whose traffic the host forwards.
 */
export function firewallChange(context: Context): Changes {
  const forwards = [...context.tables.networks.all()].some(
    ({ state, driver }) =>
      state !== "deleting" && context.drivers.get(driver)?.capabilities.forwards === true,
  );
  const chains = forwards ? context.otherFirewalls.chains.filter(({ drops }) => drops) : [];
  const wanted = chains.map(
    ({ family, table, chain }): Wanted => ({
      object: { kind: "accept-rule", netns: hostNetns, family, table, chain },
    }),
  );
  return new Map([[hostOwner, wanted]]);
}

/** Brings other firewalls' chains to what is found and needed now. What cannot be done is told as an event. */
export async function followFirewalls(context: Context): Promise<void> {
  const { otherFirewalls, reconciler } = context;
  if (otherFirewalls.chains.length === 0 && reconciler.desired.wantedBy(hostOwner).length === 0) return;
  try {
    await reconciler.change(firewallChange(context));
  } catch (error) {
    context.events.emit({ event: "follow-failed", what: "other firewalls", error });
  }
}
