import { WeftError } from "../core/index.ts";
import { type BuiltinAllocator, restoreLeases } from "../ipam/index.ts";
import type { Wanted } from "../plan/index.ts";
import { recordChangedFacts } from "./changed-facts.ts";
import { attachmentsOf, type Context } from "./context.ts";
import { takeInHostResolvConf } from "./host-resolv-conf.ts";
import { firewallChange, lookForFirewalls } from "./other-firewalls.ts";
import { endpointOwner, networkOwner, sandboxOwner } from "./plans.ts";
import { reservePorts } from "./port-recovery.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";
import { moveResolver, sandboxWithoutPort } from "./resolver-port.ts";
import { resume } from "./restore-deletions.ts";
import { endpointPlan, networkPlan, sandboxPlan } from "./restore-plans.ts";
import { restoreWaysOut } from "./restore-way-out.ts";

/**
 * The start, and the recovery from any crash: load the records, plan, read the kernel, write the
 * difference, and end what was being deleted. What cannot be restored is told as an event, and keeps
 * nothing else from being restored.
 */
export async function restore(context: Context, allocator: BuiltinAllocator): Promise<void> {
  context.tables.load(context.store);
  requireDrivers(context);
  restorePools(context, allocator);
  await compensate(context);
  takeInHostResolvConf(context);
  reservePorts(context);
  lookOrTell(context);
  await recordChangedFacts(context).catch((error: unknown) => tell(context, "facts about the host", error));
  const creating = stageAll(context);
  const { failures } = await resume(context, { again: creating });
  const failed = new Set<string>();
  for (const { step, error } of failures) {
    for (const owner of context.reconciler.desired.get(step.identity)?.owners.keys() ?? []) failed.add(owner);
    const sandbox = sandboxWithoutPort(context, step, error);
    if (sandbox === undefined) tell(context, step.identity, error);
    else await moveResolver(context, sandbox).catch((cause: unknown) => tell(context, step.identity, cause));
  }
  markReady(context, failed);
  restoreWaysOut(context, ({ endpoint }, error) => tell(context, endpointOwner(endpoint.id), error));
}

/**
 * Without its driver nobody knows what a network needs, and all that it has on the host would be taken for
 * leftovers. Throws DRIVER_NOT_FOUND.
 */
function requireDrivers(context: Context): void {
  for (const { name, driver, ipamDriver, configOnly } of context.tables.networks.all()) {
    if (configOnly) continue;
    const missing = [
      ...(context.drivers.has(driver) ? [] : [`driver ${JSON.stringify(driver)}`]),
      ...(context.ipamDrivers.has(ipamDriver) ? [] : [`IPAM driver ${JSON.stringify(ipamDriver)}`]),
    ];
    if (missing.length === 0) continue;
    throw new WeftError(
      "DRIVER_NOT_FOUND",
      `network ${name} needs ${missing.join(" and ")}: open the controller with it, or delete the network first`,
    );
  }
}

function restorePools(context: Context, allocator: BuiltinAllocator): void {
  const poolIds: string[] = [];
  for (const { ipamDriver, pools } of context.tables.networks.all()) {
    if (ipamDriver === allocator.name) poolIds.push(...pools.map(({ poolId }) => poolId));
  }
  restoreLeases(allocator, context.store, poolIds);
}

/** Calls that a crash cut off are undone: the driver elsewhere may or may not have done them. */
async function compensate(context: Context): Promise<void> {
  for (const network of [...context.tables.networks.all()]) {
    if (network.state === "creating" && network.answer === undefined) {
      context.tables.freeNetworkName(network.name);
      await setNetwork(context, { ...network, state: "deleting" });
    }
  }
  for (const endpoint of [...context.tables.endpoints.all()]) {
    const { join, state } = endpoint;
    // The sandbox of a join may not have been recorded yet when the crash came.
    const answered = join?.answer !== undefined && context.tables.sandboxes.get(join.sandbox) !== undefined;
    const joining = join !== undefined && !answered && join.leaving !== true;
    // One that was there before the join that was cut off is kept.
    const making = state === "creating" && join?.answer === undefined;
    if (!joining && !making) continue;
    if (making) context.tables.freeEndpointName(endpoint.network, endpoint.name);
    await setEndpoint(context, {
      ...endpoint,
      state: making ? "deleting" : state,
      join: join === undefined ? undefined : { ...join, leaving: true },
    });
  }
}

/** What other firewalls there are decides nothing about what weft's own is. */
function lookOrTell(context: Context): void {
  try {
    lookForFirewalls(context);
  } catch (error) {
    tell(context, "other firewalls", error);
  }
}

/** Lets every owner want what its record says. Gives the owners whose making was cut off. */
function stageAll(context: Context): Set<string> {
  const creating = new Set<string>();
  const stage = (owner: string, plan: () => readonly Wanted[], state: string) => {
    try {
      context.reconciler.stage(new Map([[owner, plan()]]));
      if (state === "creating") creating.add(owner);
    } catch (error) {
      tell(context, owner, error);
    }
  };
  for (const [owner, wanted] of firewallChange(context)) {
    context.otherFirewalls.owners.add(owner);
    stage(owner, () => wanted, "ready");
  }
  const { networks, endpoints, sandboxes } = context.tables;
  for (const network of networks.all()) {
    if (network.state !== "deleting" && !network.configOnly)
      stage(networkOwner(network.id), () => networkPlan(context, network), network.state);
  }
  for (const sandbox of sandboxes.all()) {
    if (sandbox.state === "deleting") continue;
    const plan = () => sandboxPlan(context, sandbox, attachmentsOf(context, sandbox.id));
    stage(sandboxOwner(sandbox.id), plan, sandbox.state);
  }
  for (const endpoint of endpoints.all()) {
    if (
      endpoint.state === "deleting" ||
      endpoint.join?.answer === undefined ||
      endpoint.join.leaving === true
    )
      continue;
    stage(endpointOwner(endpoint.id), () => endpointPlan(context, endpoint), endpoint.state);
  }
  return creating;
}

/** Ends the making of what is there now; what some of could not be made is tried again at the next start. */
function markReady(context: Context, failed: ReadonlySet<string>): void {
  const { networks, endpoints, sandboxes } = context.tables;
  for (const record of [...networks.all()]) {
    if (record.state !== "creating" || failed.has(networkOwner(record.id))) continue;
    const ready: NetworkRecord = { ...record, state: "ready" };
    networks.set(ready);
    context.store.later((transaction) => networks.putReady(transaction, ready.id));
  }
  for (const record of [...endpoints.all()]) {
    if (record.state !== "creating" || record.join?.leaving === true) continue;
    if (failed.has(endpointOwner(record.id))) continue;
    const ready: EndpointRecord = { ...record, state: "ready" };
    context.tables.setEndpoint(ready);
    context.store.later((transaction) => endpoints.putReady(transaction, ready.id));
  }
  for (const record of [...sandboxes.all()]) {
    if (record.state !== "creating" || failed.has(sandboxOwner(record.id))) continue;
    const ready = { ...record, state: "ready" as const };
    sandboxes.set(ready);
    context.store.later((transaction) => sandboxes.putReady(transaction, ready.id));
  }
}

async function setNetwork({ store, tables }: Context, record: NetworkRecord): Promise<void> {
  await store.transact((transaction) => tables.networks.put(transaction, record));
  tables.networks.set(record);
}

async function setEndpoint({ store, tables }: Context, record: EndpointRecord): Promise<void> {
  await store.transact((transaction) => tables.endpoints.put(transaction, record));
  tables.setEndpoint(record);
}

function tell(context: Context, what: string, error: unknown): void {
  context.events.emit({ event: "restore-failed", what, error });
}
