import { type Id, WeftError } from "../core/index.ts";
import type { Wanted } from "../plan/index.ts";
import { attachmentsOf, type Context, driverOf, removedAfter, sandboxChange, takeDown } from "./context.ts";
import { callDriver } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { endpointOf, finishEndpoint } from "./endpoint-operations.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { locked, sandboxOf } from "./join-operations.ts";
import { forgetOtherLosses } from "./lost-ports.ts";
import { endpointOwner, sandboxOwner } from "./plans.ts";
import { type Rebound, rebind } from "./port-bindings.ts";
import type { EndpointRecord, SandboxRecord } from "./records.ts";
import { aboutToBeTold, moveGateway, putTelling, revoke } from "./way-out.ts";

/**
 * Takes an endpoint out of its sandbox. Its names are withdrawn when this resolves; its interface is
 * removed in the background. There is no giving it up: a leave that is recorded is carried out, by the next
 * start if need be. Throws ENDPOINT_NOT_JOINED.
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
    const published = sandbox.bindings.length === 0 ? undefined : sandbox.bindings;
    const leaving: EndpointRecord = { ...record, join: { ...record.join, leaving: true, published } };
    const rest = attachmentsOf(context, sandbox.id).filter(({ endpoint }) => endpoint.id !== record.id);
    const next = aboutToBeTold(context, former, inGatewayOrder(rest));
    const { sandbox: bound, giveUp } = await rebindForLess(context, sandbox, rest);
    try {
      await context.store.transact((transaction) => {
        context.tables.endpoints.put(transaction, leaving);
        if (next !== undefined) putTelling(context, transaction, next);
        if (bound !== sandbox) context.tables.sandboxes.put(transaction, bound);
      });
    } catch (error) {
      giveUp();
      await publishAgain(context, sandbox);
      throw error;
    }
    context.tables.setEndpoint(leaving);
    if (next !== undefined) context.tables.setEndpoint(next);
    context.tables.sandboxes.set(bound);
    forgetOtherLosses(context.lostPorts, bound);
    const changes = new Map<string, readonly Wanted[]>(
      sandboxChange(context, bound, attachmentsOf(context, sandbox.id)),
    );
    const takenDown = takeDown(context, changes.set(endpointOwner(record.id), []));
    const now = inGatewayOrder(attachmentsOf(context, sandbox.id));
    // Before the driver hears of the leave.
    const withdrawn = takenDown
      .then(() => moveGateway(context, former, now))
      .catch((error: unknown) =>
        context.events.emit({ event: "removal-failed", what: endpointOwner(record.id), error }),
      );
    endEndpoint(context, record.id, removedAfter(withdrawn, takenDown));
    await withdrawn;
  });
}

/**
 * The ports of the host for a sandbox that has lost an endpoint. Another way in may need other ports; when
 * those cannot be had, the sandbox leaves all the same, and is published on those that it has.
 */
async function rebindForLess(
  context: Context,
  sandbox: SandboxRecord,
  rest: readonly Attachment[],
): Promise<Rebound> {
  try {
    return await rebind(context, sandbox, rest);
  } catch (error) {
    context.events.emit({ event: "port-lost", what: sandboxOwner(sandbox.id), error });
    return { sandbox, giveUp: () => {} };
  }
}

/** Ports that were in the way of others may have been unpublished for a leave that is not to be, after all. */
async function publishAgain(context: Context, sandbox: SandboxRecord): Promise<void> {
  if (sandbox.ports.length === 0) return;
  const attachments = attachmentsOf(context, sandbox.id);
  await context.reconciler
    .change(sandboxChange(context, sandbox, attachments))
    .catch((error: unknown) =>
      context.events.emit({ event: "port-lost", what: sandboxOwner(sandbox.id), error }),
    );
}

/**
 * Ends in the background what is under way of an endpoint: its leave, its deletion, or both. `removed`
 * resolves when its interface is out of the kernel. From here on somebody works on it.
 */
export function endEndpoint(context: Context, id: Id, removed: Promise<void>): void {
  context.background.start(endpointOwner(id), async () => {
    await removed;
    await finishLeave(context, id);
    if (context.tables.endpoints.get(id)?.state === "deleting") await finishEndpoint(context, id);
  });
}

/** Ends what {@link leaveSandbox} began. */
async function finishLeave(context: Context, id: Id): Promise<void> {
  const record = context.tables.endpoints.get(id);
  const network = record === undefined ? undefined : context.tables.networks.get(record.network);
  if (record?.join?.leaving !== true || network === undefined) return;
  // A crash came before the driver heard of it, or it refused.
  if (record.join.wayOut !== undefined)
    await revoke(context, { endpoint: record, network }).catch((error: unknown) =>
      context.events.emit({ event: "removal-failed", what: endpointOwner(id), error }),
    );
  const driver = driverOf(context, network.driver);
  await callDriver(driver, "leave", () => driver.leave(driverNetwork(network), driverEndpoint(record)));
  // Somebody may delete the endpoint meanwhile: what is there now is changed, not what was there before.
  await context.store.transact((transaction) => context.tables.endpoints.putLeft(transaction, id));
  const now = context.tables.endpoints.get(id);
  if (now !== undefined) context.tables.setEndpoint({ ...now, join: undefined });
}

function notJoined(id: Id): WeftError {
  return new WeftError("ENDPOINT_NOT_JOINED", `endpoint ${id} is in no sandbox`);
}
