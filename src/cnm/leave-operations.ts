import { type Id, WeftError } from "../core/index.ts";
import type { Wanted } from "../plan/index.ts";
import { attachmentsOf, type Context, driverOf, sandboxChange, takeDown } from "./context.ts";
import { callDriver } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { endpointOf, finishEndpoint } from "./endpoint-operations.ts";
import { type Attachment, inGatewayOrder } from "./gateway-order.ts";
import { locked, sandboxOf } from "./join-operations.ts";
import { endpointOwner, sandboxOwner } from "./plans.ts";
import { type Rebound, rebind } from "./port-bindings.ts";
import type { EndpointRecord, SandboxRecord } from "./records.ts";
import { moveGateway } from "./way-out.ts";

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
    const rest = attachmentsOf(context, sandbox.id).filter(({ endpoint }) => endpoint.id !== record.id);
    const { sandbox: bound, giveUp } = await rebindForLess(context, sandbox, rest);
    try {
      await context.store.transact((transaction) => {
        context.tables.endpoints.put(transaction, leaving);
        if (bound !== sandbox) context.tables.sandboxes.put(transaction, bound);
      });
    } catch (error) {
      giveUp();
      throw error;
    }
    context.tables.setEndpoint(leaving);
    context.tables.sandboxes.set(bound);
    const changes = new Map<string, readonly Wanted[]>(
      sandboxChange(context, bound, attachmentsOf(context, sandbox.id)),
    );
    const { removed } = await takeDown(context, changes.set(endpointOwner(record.id), []));
    // Before the driver hears of the leave.
    await moveGateway(context, former, inGatewayOrder(attachmentsOf(context, sandbox.id))).catch(
      (error: unknown) =>
        context.events.emit({ event: "removal-failed", what: endpointOwner(record.id), error }),
    );
    context.background.start(endpointOwner(record.id), () => finishLeave(context, record.id, removed));
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

/** Ends what {@link leaveSandbox} began. */
export async function finishLeave(context: Context, id: Id, removed: Promise<void>): Promise<void> {
  await removed;
  const record = context.tables.endpoints.get(id);
  const network = record === undefined ? undefined : context.tables.networks.get(record.network);
  if (record === undefined || network === undefined) return;
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

/** Runs {@link finishLeave} and {@link finishEndpoint} one after the other, as a sandbox's end does for each endpoint. */
export async function finishLeaveAndDelete(context: Context, id: Id, removed: Promise<void>): Promise<void> {
  await finishLeave(context, id, removed);
  await finishEndpoint(context, id);
}
