import { runAll } from "../core/index.ts";
import type { Transaction } from "../store/index.ts";
import { type Context, driverOf } from "./context.ts";
import { callDriver } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { type Attachment, gatewayFor } from "./gateway-order.ts";
import { endpointOwner } from "./plans.ts";
import type { EndpointRecord, JoinRecord } from "./records.ts";

/** A sandbox's way out; none when nothing has a gateway. `ordered` are its attachments in gateway order. */
export function wayOut(ordered: readonly Attachment[]): Attachment | undefined {
  return (gatewayFor(ordered, 4) ?? gatewayFor(ordered, 6))?.attachment;
}

/**
 * The endpoint that becomes the way out, as it has to be recorded before {@link moveGateway}: its driver is
 * about to be told. Undefined when the way out stays, and when the driver does no work elsewhere.
 */
export function aboutToBeTold(
  context: Context,
  former: readonly Attachment[],
  now: readonly Attachment[],
): EndpointRecord | undefined {
  const after = wayOut(now);
  if (after === undefined || after.endpoint.id === wayOut(former)?.endpoint.id) return undefined;
  return isElsewhere(context, after) ? withWayOut(after.endpoint, "telling") : undefined;
}

/**
 * Tells drivers when the way out of a sandbox has moved from one endpoint to another. When it cannot move, it
 * is moved back, unless the former one is in the sandbox no more.
 */
export async function moveGateway(
  context: Context,
  former: readonly Attachment[],
  now: readonly Attachment[],
): Promise<void> {
  const before = wayOut(former);
  const after = wayOut(now);
  if (before?.endpoint.id === after?.endpoint.id) return;
  const stays = now.some(({ endpoint }) => endpoint.id === before?.endpoint.id);
  let refusal: { readonly error: unknown } | undefined;
  try {
    if (before !== undefined) await revoke(context, before);
  } catch (error) {
    if (stays) throw error;
    refusal = { error };
  }
  if (after !== undefined) await programInPlaceOf(context, stays ? before : undefined, after);
  if (refusal !== undefined) throw refusal.error;
}

async function programInPlaceOf(
  context: Context,
  before: Attachment | undefined,
  after: Attachment,
): Promise<void> {
  try {
    await program(context, after);
  } catch (error) {
    const back = [
      () => revoke(context, after),
      () => (before === undefined ? undefined : program(context, before)),
    ];
    await runAll("way out", back).catch((cause: unknown) =>
      context.events.emit({ event: "removal-failed", what: endpointOwner(after.endpoint.id), error: cause }),
    );
    throw error;
  }
}

/** Tells a driver that an endpoint is a way out. That it will be told stands in the record already. */
async function program(context: Context, attachment: Attachment): Promise<void> {
  await tell(context, "programExternalConnectivity", attachment);
  note(context, attachment, "told");
}

/** Tells a driver that an endpoint is a way out no more. */
export async function revoke(context: Context, attachment: Attachment): Promise<void> {
  await tell(context, "revokeExternalConnectivity", attachment);
  note(context, attachment, undefined);
}

/** Writes into a transaction that the driver of an endpoint is about to be told. */
export function putTelling({ tables }: Context, transaction: Transaction, { id }: EndpointRecord): void {
  tables.endpoints.change(transaction, id, (record) => withWayOut(record, "telling"));
}

/** Records that the driver of an endpoint is about to be told, and then tells it. */
export async function recordAndProgram(context: Context, attachment: Attachment): Promise<void> {
  const { endpoint } = attachment;
  await context.store.transact((transaction) => putTelling(context, transaction, endpoint));
  context.tables.setEndpoint(withWayOut(context.tables.endpoints.get(endpoint.id) ?? endpoint, "telling"));
  await program(context, attachment);
}

/** True for an endpoint whose driver keeps a state of its own, which outlives this process. */
export function isElsewhere(context: Context, { network }: Attachment): boolean {
  return driverOf(context, network.driver).capabilities.imperative;
}

async function tell(
  context: Context,
  verb: "programExternalConnectivity" | "revokeExternalConnectivity",
  { endpoint, network }: Attachment,
): Promise<void> {
  const driver = driverOf(context, network.driver);
  await callDriver(driver, verb, () => driver[verb](driverNetwork(network), driverEndpoint(endpoint)));
}

/** Remembers what a driver was told. Losing it costs that it is told again. */
function note(context: Context, attachment: Attachment, told: "told" | undefined): void {
  if (!isElsewhere(context, attachment)) return;
  const { tables, store } = context;
  const { id } = attachment.endpoint;
  const now = tables.endpoints.get(id);
  if (now !== undefined) tables.setEndpoint(withWayOut(now, told));
  store.later((transaction) =>
    tables.endpoints.change(transaction, id, (record) => withWayOut(record, told)),
  );
}

/** One that is in no sandbox is nobody's way out. */
function withWayOut(record: EndpointRecord, told: JoinRecord["wayOut"]): EndpointRecord {
  return record.join === undefined ? record : { ...record, join: { ...record.join, wayOut: told } };
}
