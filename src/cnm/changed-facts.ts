import type { Id } from "../core/index.ts";
import type { OwnerId, Wanted } from "../plan/index.ts";
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
  await follow(context, "later");
}

/**
 * {@link followChangedFacts} where the facts of a network have changed that an endpoint is about to join: with an MTU
 * that its parent had, the kernel would refuse its interface. What is the networks' own is changed on the host too,
 * such as a VLAN sub-interface that the new interface is made on; what other endpoints have is left to whoever mends
 * drift. No lock is held. Undefined when there is nothing to wait for, so that nobody comes in between. Throws KernelError
 * when the host cannot be read, and STORE.
 */
export function followFactsOf(context: Context, id: Id): Promise<void> | undefined {
  const network = context.tables.networks.get(id);
  if (network === undefined || network.configOnly || network.answer === undefined) return undefined;
  // Others have no link that sets them bounds, and are asked when the host's links change.
  if (driverOf(context, network.driver).parentUse?.(driverNetwork(network)) === undefined) return undefined;
  return withChangedFacts(context, network) === undefined ? undefined : follow(context, "now");
}

/** When the host is to have what networks want of it by their new answers; endpoints' links have it with the next repair. */
type Host = "now" | "later";

async function follow(context: Context, host: Host): Promise<void> {
  let done = false;
  while (!done)
    done = await followAlone(context, new Set(changedNetworks(context).map(({ id }) => id)), host);
}

/** The lock of whoever asks a driver in this process to make a network: it looks at all others. */
export const nativeDriversLock = "native drivers";

/** With the locks of those networks; false when others turn out to have changed too. */
async function followAlone(context: Context, ids: ReadonlySet<Id>, host: Host): Promise<boolean> {
  if (ids.size === 0) return true;
  const { locks } = context;
  // The innermost: no other network gets an answer meanwhile, which might share something with these.
  let work = () => locks.run(nativeDriversLock, () => followLocked(context, ids, host));
  // One order for everybody who takes several.
  for (const id of [...ids].sort().reverse()) {
    const inner = work;
    work = () => locks.run(networkOwner(id), inner);
  }
  return work();
}

async function followLocked(context: Context, locked: ReadonlySet<Id>, host: Host): Promise<boolean> {
  const changed = changedNetworks(context);
  if (changed.some(({ id }) => !locked.has(id))) return false;
  await record(context, changed);
  const own = (): readonly [OwnerId, readonly Wanted[]][] =>
    changed.map((network) => [networkOwner(network.id), networkPlan(context, network)]);
  const joined = (): readonly [OwnerId, readonly Wanted[]][] =>
    changed
      .flatMap(({ id }) => joinedEndpoints(context, id))
      .map((endpoint) => [endpointOwner(endpoint.id), endpointPlan(context, endpoint)]);
  await context.reconciler.stageInTurn(() => new Map([...own(), ...joined()]));
  // What the kernel refuses is drift, as what was staged is; whoever joins is told what that means for them.
  if (host === "now") await context.reconciler.change(new Map(own())).catch(() => {});
  return true;
}

function changedNetworks(context: Context): readonly NetworkRecord[] {
  return [...context.tables.networks.all()].flatMap((network) => withChangedFacts(context, network) ?? []);
}

/** The network with the answer that its driver gives now; undefined when that is the one it has. */
function withChangedFacts(context: Context, network: NetworkRecord): NetworkRecord | undefined {
  if (network.state === "deleting" || network.configOnly || network.answer === undefined) return undefined;
  const answer = driverOf(context, network.driver).lookAgain?.(driverNetwork(network));
  return answer === undefined ? undefined : { ...network, answer };
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
