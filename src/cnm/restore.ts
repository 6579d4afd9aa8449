import { WeftError } from "../core/index.ts";
import { type BuiltinAllocator, restoreLeases } from "../ipam/index.ts";
import type { Wanted } from "../plan/index.ts";
import { attachmentsOf, type Context, driverOf, sandboxChange, writeLazily } from "./context.ts";
import { finishEndpoint } from "./endpoint-operations.ts";
import { finishLeave } from "./join-operations.ts";
import { finishDeletion } from "./network-operations.ts";
import { endpointOwner, networkOwner, planEndpoint, planNetwork, sandboxOwner } from "./plans.ts";
import type { EndpointRecord, NetworkRecord } from "./records.ts";
import { finishSandbox } from "./sandbox-operations.ts";

/**
 * The start, and the recovery from any crash: load the records, plan, read the kernel, write the
 * difference, and end what was being deleted. What cannot be restored is told as an event, and keeps
 * nothing else from being restored.
 */
export async function restore(context: Context, allocator: BuiltinAllocator): Promise<void> {
  context.tables.load(context.store);
  restorePools(context, allocator);
  await compensate(context);
  const creating = stageAll(context);
  const { failures } = await context.reconciler.sync(creating);
  for (const { step, error } of failures) tell(context, step.identity, error);
  markReady(context);
  finishAll(context);
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
    const { join } = endpoint;
    if (join === undefined || join.answer !== undefined || join.leaving === true) continue;
    await setEndpoint(context, { ...endpoint, join: { ...join, leaving: true } });
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
  const { networks, endpoints, sandboxes } = context.tables;
  for (const network of networks.all()) {
    if (network.state !== "deleting")
      stage(
        networkOwner(network.id),
        () => planNetwork(driverOf(context, network.driver), network),
        network.state,
      );
  }
  for (const sandbox of sandboxes.all()) {
    if (sandbox.state === "deleting") continue;
    const change = () =>
      sandboxChange(context, sandbox, attachmentsOf(context, sandbox.id)).get(sandboxOwner(sandbox.id)) ?? [];
    stage(sandboxOwner(sandbox.id), change, sandbox.state);
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

function endpointPlan(context: Context, endpoint: EndpointRecord): readonly Wanted[] {
  const network = context.tables.networks.get(endpoint.network);
  const sandbox =
    endpoint.join === undefined ? undefined : context.tables.sandboxes.get(endpoint.join.sandbox);
  if (network === undefined || sandbox === undefined) {
    throw new WeftError(
      "INTERNAL",
      `endpoint ${endpoint.name} speaks of a network or sandbox that has no record`,
    );
  }
  return planEndpoint(driverOf(context, network.driver), context.paths, network, endpoint, sandbox);
}

function markReady(context: Context): void {
  const { networks, endpoints, sandboxes } = context.tables;
  for (const record of [...networks.all()]) {
    if (record.state !== "creating") continue;
    const ready: NetworkRecord = { ...record, state: "ready" };
    networks.set(ready);
    writeLazily(context, (transaction) => networks.put(transaction, ready));
  }
  for (const record of [...endpoints.all()]) {
    if (record.state !== "creating" || record.join?.leaving === true) continue;
    const ready: EndpointRecord = { ...record, state: "ready" };
    context.tables.setEndpoint(ready);
    writeLazily(context, (transaction) => endpoints.put(transaction, ready));
  }
  for (const record of [...sandboxes.all()]) {
    if (record.state !== "creating") continue;
    const ready = { ...record, state: "ready" as const };
    sandboxes.set(ready);
    writeLazily(context, (transaction) => sandboxes.put(transaction, ready));
  }
}

/** Ends deletions and leaves that a crash cut off: the reading found what was left of them and removed it. */
function finishAll(context: Context): void {
  const gone = Promise.resolve();
  for (const endpoint of context.tables.endpoints.all()) {
    const { id, state, join } = endpoint;
    if (join?.leaving === true)
      context.background.start(endpointOwner(id), () => giveBack(context, endpoint));
    if (state === "deleting") context.background.start(endpointOwner(id), () => finishEndpoint(context, id));
  }
  for (const { id, state } of context.tables.sandboxes.all()) {
    if (state === "deleting")
      context.background.start(sandboxOwner(id), () => finishSandbox(context, id, gone));
  }
  for (const network of context.tables.networks.all()) {
    if (network.state === "deleting")
      context.background.start(networkOwner(network.id), () => finishDeletion(context, network, gone));
  }
}

/**
 * A link that a driver elsewhere made carries no mark, so no reading finds it a leftover: it is wanted
 * once more, which believes it there, and then taken down.
 */
async function giveBack(context: Context, endpoint: EndpointRecord): Promise<void> {
  const owner = endpointOwner(endpoint.id);
  let removed = Promise.resolve();
  if (
    endpoint.join?.answer?.link !== undefined &&
    context.tables.sandboxes.get(endpoint.join.sandbox)?.state !== "deleting"
  ) {
    const links = endpointPlan(context, endpoint).filter(({ object }) => object.kind === "link");
    context.reconciler.stage(new Map([[owner, links]]));
    await context.reconciler.sync();
    ({ removed } = await context.reconciler.takeDown(new Map([[owner, []]])));
  }
  await finishLeave(context, endpoint.id, removed);
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
