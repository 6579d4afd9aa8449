import type { Id } from "../core/index.ts";
import type { Wanted } from "../plan/index.ts";
import { type Context, driverOf } from "./context.ts";
import { driverNetwork } from "./driver-views.ts";
import { endpointOwner, networkOwner } from "./plans.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";
import { endpointPlan, networkPlan } from "./restore-plans.ts";

/**
 * Looks again at the facts that the networks' records hold, and records those that have changed. Nothing is
 * planned by it. Throws KernelError when the host cannot be read, and STORE.
 */
export async function recordChangedFacts(context: Context): Promise<void> {
  await record(context, changedNetworks(context));
}

async function record({ tables, store }: Context, changed: readonly NetworkRecord[]): Promise<void> {
  if (changed.length === 0) return;
  await store.transact((transaction) => {
    for (const { id, answer } of changed)
      tables.networks.change(transaction, id, (there) => ({ ...there, answer }));
  });
  for (const network of changed) tables.networks.set(network);
}

/**
 * {@link recordChangedFacts} while others work: what the networks and their endpoints want follows from what
 * is recorded. The host is not changed by it; where it differs now, that is drift. Networks that share
 * something are planned anew together, for they have to want the same of it.
 */
export async function followChangedFacts(context: Context): Promise<void> {
  let done = false;
  while (!done) done = await followAlone(context, new Set(changedNetworks(context).map(({ id }) => id)));
}

/** The lock of whoever asks a driver in this process to make a network: it looks at all others. */
export const nativeDriversLock = "native drivers";

/** With the locks of those networks; false when others turn out to have changed too. */
async function followAlone(context: Context, ids: ReadonlySet<Id>): Promise<boolean> {
  if (ids.size === 0) return true;
  const { locks } = context;
  // The innermost: no other network gets an answer meanwhile, which might share something with these.
  let work = () => locks.run(nativeDriversLock, () => followLocked(context, ids));
  // One order for everybody who takes several.
  for (const id of [...ids].sort().reverse()) {
    const inner = work;
    work = () => locks.run(networkOwner(id), inner);
  }
  return work();
}

async function followLocked(context: Context, locked: ReadonlySet<Id>): Promise<boolean> {
  const changed = changedNetworks(context);
  if (changed.some(({ id }) => !locked.has(id))) return false;
  await record(context, changed);
  const changes = new Map<string, readonly Wanted[]>();
  for (const network of changed) {
    changes.set(networkOwner(network.id), networkPlan(context, network));
    for (const endpoint of joinedEndpoints(context, network.id))
      changes.set(endpointOwner(endpoint.id), endpointPlan(context, endpoint));
  }
  context.reconciler.stage(changes);
  return true;
}

function changedNetworks(context: Context): readonly NetworkRecord[] {
  return [...context.tables.networks.all()].flatMap((network) => {
    if (network.state === "deleting" || network.configOnly || network.answer === undefined) return [];
    const answer = driverOf(context, network.driver).lookAgain?.(driverNetwork(network));
    return answer === undefined ? [] : [{ ...network, answer }];
  });
}

function joinedEndpoints({ tables }: Context, network: Id): readonly EndpointRecord[] {
  return [...tables.endpoints.all()].filter(
    (endpoint) =>
      endpoint.network === network &&
      endpoint.state !== "deleting" &&
      endpoint.join?.answer !== undefined &&
      endpoint.join.leaving !== true,
  );
}
