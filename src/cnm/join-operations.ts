import { type Id, throwAll, WeftError } from "../core/index.ts";
import type { Driver, JoinAnswer } from "../drivers/index.ts";
import type { Changes, Wanted } from "../plan/index.ts";
import { attachmentsOf, type Context, driverOf, networkOf, sandboxChange, writeLazily } from "./context.ts";
import { driverEndpoint, driverNetwork, sandboxNetns } from "./driver-views.ts";
import {
  type EndpointOptions,
  endpointOf,
  finishEndpoint,
  prepareEndpoint,
  writeEndpoint,
} from "./endpoint-operations.ts";
import { type Attachment, gatewayFor, inGatewayOrder } from "./gateway-order.ts";
import { freeInterfaceName } from "./names.ts";
import { endpointOwner, networkOwner, planEndpoint, sandboxOwner } from "./plans.ts";
import type { EndpointRecord, JoinRecord, NetworkRecord, SandboxRecord } from "./records.ts";

/** How an endpoint joins a sandbox. */
export interface JoinOptions {
  /** The highest of a sandbox's endpoints is its way out; 0. */
  readonly priority?: number;
  /** The interface's whole name in the sandbox; the driver's prefix and a number without. */
  readonly interfaceName?: string;
  readonly signal?: AbortSignal;
}

/**
 * Puts an endpoint into a sandbox: its interface is there, its addresses answer and its names are known
 * when this resolves. Throws ENDPOINT_JOINED, INTERFACE_NAME_IN_USE and what the driver and the kernel
 * refuse; then the endpoint is in no sandbox, as before.
 */
export function joinSandbox(
  context: Context,
  endpoint: Pick<EndpointRecord, "id" | "network">,
  sandbox: Id,
  options: JoinOptions,
): Promise<void> {
  return locked(context, endpoint.network, sandbox, async () => {
    const record = endpointOf(context, endpoint.id);
    if (record.join?.leaving === true) await context.background.settled(endpointOwner(record.id));
    const network = networkOf(context, record.network);
    const current = endpointOf(context, endpoint.id);
    await attach(
      context,
      network,
      current,
      sandboxOf(context, sandbox),
      options,
      async (joined) => {
        await context.store.transact((transaction) => context.tables.endpoints.put(transaction, joined));
      },
      current,
    );
  });
}

/** Makes an endpoint and puts it into a sandbox, in one commit; what `docker network connect` does. */
export function connectSandbox(
  context: Context,
  networkId: Id,
  sandbox: Id,
  name: string,
  options: EndpointOptions & JoinOptions,
): Promise<EndpointRecord> {
  return locked(context, networkId, sandbox, async () => {
    const network = networkOf(context, networkId);
    const prepared = await prepareEndpoint(context, network, name, options);
    try {
      const commit = (joined: EndpointRecord) =>
        context.store.transact((transaction) => writeEndpoint(context, transaction, network, joined));
      return await attach(
        context,
        network,
        prepared.record,
        sandboxOf(context, sandbox),
        options,
        commit,
        undefined,
      );
    } catch (error) {
      context.tables.removeEndpoint(prepared.record.id);
      await prepared.giveUp();
      throw error;
    }
  });
}

/** The network's lock, and within it the sandbox's; everybody takes them in this order. */
function locked<T>(context: Context, network: Id, sandbox: Id, work: () => Promise<T>): Promise<T> {
  return context.locks.run(networkOwner(network), () => context.locks.run(sandboxOwner(sandbox), work));
}

/** The sandbox of that id. Throws SANDBOX_NOT_FOUND when it is not there or on its way out. */
export function sandboxOf({ tables }: Context, id: Id): SandboxRecord {
  const sandbox = tables.sandboxes.get(id);
  if (sandbox === undefined || sandbox.state === "deleting")
    throw new WeftError("SANDBOX_NOT_FOUND", `sandbox ${id} not found`);
  return sandbox;
}

/**
 * Joins, commits by `commit`, and applies. When it fails after the commit, the endpoint's record becomes
 * `before` again, or is removed when there was none.
 */
async function attach(
  context: Context,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
  options: JoinOptions,
  commit: (joined: EndpointRecord) => Promise<void>,
  before: EndpointRecord | undefined,
): Promise<EndpointRecord> {
  options.signal?.throwIfAborted();
  const driver = driverOf(context, network.driver);
  checkJoin(context, driver, network, endpoint, sandbox);
  const former = inGatewayOrder(attachmentsOf(context, sandbox.id));
  let joined = endpoint;
  let committed = false;
  try {
    if (driver.capabilities.imperative) {
      await commit(withJoin(endpoint, { sandbox: sandbox.id, ifname: "", priority: options.priority ?? 0 }));
      committed = true;
    }
    const answer = await driver.join(
      driverNetwork(network),
      driverEndpoint(endpoint),
      { sandboxId: sandbox.id, netns: sandboxNetns(context.paths, sandbox) },
      options.signal,
    );
    const ifname = interfaceName(context, driver, sandbox, options, answer);
    joined = withJoin(endpoint, { sandbox: sandbox.id, ifname, priority: options.priority ?? 0, answer });
    await commit(joined);
    committed = true;
    context.tables.setEndpoint(joined);
    await context.reconciler.change(joinChange(context, driver, network, joined, sandbox));
    await moveGateway(context, former, inGatewayOrder(attachmentsOf(context, sandbox.id)));
  } catch (error) {
    await detach(context, driver, network, joined, sandbox, before, committed);
    throw error;
  }
  const ready: EndpointRecord = { ...joined, state: "ready" };
  context.tables.setEndpoint(ready);
  writeLazily(context, (transaction) => context.tables.endpoints.put(transaction, ready));
  return ready;
}

function withJoin(endpoint: EndpointRecord, join: JoinRecord): EndpointRecord {
  return { ...endpoint, state: "creating", join };
}

function checkJoin(
  context: Context,
  driver: Driver,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
): void {
  if (endpoint.join !== undefined) {
    throw new WeftError(
      "ENDPOINT_JOINED",
      `another container is attached to the same network endpoint ${endpoint.name}`,
    );
  }
  if (context.tables.endpointsIn(sandbox.id).some((other) => other.network === network.id)) {
    throw new WeftError(
      "ENDPOINT_JOINED",
      `sandbox ${sandbox.containerId} is already attached to network ${network.name}`,
    );
  }
  if (driver.capabilities.hostNetns !== sandbox.hostNetns) {
    const words = sandbox.hostNetns
      ? "container sharing network namespace with another container or host cannot be connected to any other network"
      : "cannot connect container to host network - container must be created in host network mode";
    throw new WeftError("INVALID_OPTION", words);
  }
}

function interfaceName(
  context: Context,
  driver: Driver,
  sandbox: SandboxRecord,
  options: JoinOptions,
  answer: JoinAnswer,
): string {
  if (!driver.capabilities.needsAddresses) return "";
  const taken = new Set(
    context.tables.endpointsIn(sandbox.id).flatMap(({ join }) => (join === undefined ? [] : [join.ifname])),
  );
  const wanted = options.interfaceName;
  if (wanted === undefined) return freeInterfaceName(answer.interfacePrefix ?? "eth", taken);
  if (taken.has(wanted) || wanted === "lo") {
    throw new WeftError(
      "INTERFACE_NAME_IN_USE",
      `interface name ${wanted} is taken in sandbox ${sandbox.containerId}`,
    );
  }
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(wanted)) {
    throw new WeftError(
      "INVALID_NAME",
      `invalid interface name ${JSON.stringify(wanted)}: it should be 1 to 15 letters, digits and _ . -`,
    );
  }
  return wanted;
}

/** What joining, or being there again after a restart, means for the endpoint and for its sandbox. */
export function joinChange(
  context: Context,
  driver: Driver,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
): Changes {
  const changes = new Map<string, readonly Wanted[]>(
    sandboxChange(context, sandbox, attachmentsOf(context, sandbox.id)),
  );
  changes.set(endpointOwner(endpoint.id), planEndpoint(driver, context.paths, network, endpoint, sandbox));
  return changes;
}

/** Takes a failed join back; what goes wrong in that is told as an event. */
async function detach(
  context: Context,
  driver: Driver,
  network: NetworkRecord,
  endpoint: EndpointRecord,
  sandbox: SandboxRecord,
  before: EndpointRecord | undefined,
  committed: boolean,
): Promise<void> {
  if (before === undefined) context.tables.removeEndpoint(endpoint.id);
  else context.tables.setEndpoint(before);
  const errors: unknown[] = [];
  const attempt = async (step: () => Promise<unknown>) => {
    await step().catch((error: unknown) => errors.push(error));
  };
  await attempt(async () => {
    const changes = new Map<string, readonly Wanted[]>(
      sandboxChange(context, sandbox, attachmentsOf(context, sandbox.id)),
    );
    const { removed } = await context.reconciler.takeDown(changes.set(endpointOwner(endpoint.id), []));
    await removed;
  });
  if (driver.capabilities.imperative)
    await attempt(() => driver.leave(driverNetwork(network), driverEndpoint(endpoint)));
  if (committed) {
    await attempt(() =>
      context.store.transact((transaction) => {
        if (before === undefined) context.tables.endpoints.delete(transaction, endpoint.id);
        else context.tables.endpoints.put(transaction, before);
      }),
    );
  }
  for (const error of errors)
    context.events.emit({ event: "removal-failed", what: endpointOwner(endpoint.id), error });
}

/** Tells drivers when the way out of a sandbox has moved from one endpoint to another. */
async function moveGateway(
  context: Context,
  former: readonly Attachment[],
  now: readonly Attachment[],
): Promise<void> {
  const before = wayOut(former);
  const after = wayOut(now);
  if (before?.endpoint.id === after?.endpoint.id) return;
  if (before !== undefined) {
    await driverOf(context, before.network.driver).revokeExternalConnectivity(
      driverNetwork(before.network),
      driverEndpoint(before.endpoint),
    );
  }
  if (after !== undefined) {
    await driverOf(context, after.network.driver).programExternalConnectivity(
      driverNetwork(after.network),
      driverEndpoint(after.endpoint),
    );
  }
}

function wayOut(ordered: readonly Attachment[]): Attachment | undefined {
  return (gatewayFor(ordered, 4) ?? gatewayFor(ordered, 6))?.attachment;
}

/**
 * Takes an endpoint out of its sandbox. Its names are withdrawn when this resolves; its interface is
 * removed in the background. Throws ENDPOINT_NOT_JOINED.
 */
export async function leaveSandbox(
  context: Context,
  endpoint: Pick<EndpointRecord, "id" | "network">,
): Promise<void> {
  const { join } = endpointOf(context, endpoint.id);
  if (join === undefined || join.leaving === true) throw notJoined(endpoint.id);
  await locked(context, endpoint.network, join.sandbox, async () => {
    const record = endpointOf(context, endpoint.id);
    if (record.join === undefined || record.join.leaving === true) throw notJoined(endpoint.id);
    const sandbox = sandboxOf(context, record.join.sandbox);
    const former = inGatewayOrder(attachmentsOf(context, sandbox.id));
    const leaving: EndpointRecord = { ...record, join: { ...record.join, leaving: true } };
    await context.store.transact((transaction) => context.tables.endpoints.put(transaction, leaving));
    context.tables.setEndpoint(leaving);
    const changes = new Map<string, readonly Wanted[]>(
      sandboxChange(context, sandbox, attachmentsOf(context, sandbox.id)),
    );
    const { removed } = await context.reconciler.takeDown(changes.set(endpointOwner(record.id), []));
    context.background.start(endpointOwner(record.id), () => finishLeave(context, record.id, removed));
    await moveGateway(context, former, inGatewayOrder(attachmentsOf(context, sandbox.id))).catch(
      (error: unknown) =>
        context.events.emit({ event: "removal-failed", what: endpointOwner(record.id), error }),
    );
  });
}

/** Ends what {@link leaveSandbox} began. */
export async function finishLeave(context: Context, id: Id, removed: Promise<void>): Promise<void> {
  const errors: unknown[] = [];
  await removed.catch((error: unknown) => errors.push(error));
  const record = context.tables.endpoints.get(id);
  const network = record === undefined ? undefined : context.tables.networks.get(record.network);
  if (record === undefined || network === undefined) return;
  await driverOf(context, network.driver)
    .leave(driverNetwork(network), driverEndpoint(record))
    .catch((error: unknown) => errors.push(error));
  throwAll("leave", errors);
  const left: EndpointRecord = { ...(context.tables.endpoints.get(id) ?? record), join: undefined };
  await context.store.transact((transaction) => context.tables.endpoints.put(transaction, left));
  context.tables.setEndpoint(left);
}

function notJoined(id: Id): WeftError {
  return new WeftError("ENDPOINT_NOT_JOINED", `endpoint ${id} is in no sandbox`);
}

/** Runs {@link finishLeave} and {@link finishEndpoint} one after the other, as a sandbox's end does for each endpoint. */
export async function finishLeaveAndDelete(context: Context, id: Id, removed: Promise<void>): Promise<void> {
  await finishLeave(context, id, removed);
  await finishEndpoint(context, id);
}
