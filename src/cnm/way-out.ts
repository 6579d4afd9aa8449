import { runAll } from "../core/index.ts";
import { type Context, driverOf } from "./context.ts";
import { callDriver } from "./driver-calls.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import { type Attachment, gatewayFor } from "./gateway-order.ts";
import { endpointOwner } from "./plans.ts";

/** Tells drivers when the way out of a sandbox has moved from one endpoint to another. */
export async function moveGateway(
  context: Context,
  former: readonly Attachment[],
  now: readonly Attachment[],
): Promise<void> {
  const before = wayOut(former);
  const after = wayOut(now);
  if (before?.endpoint.id === after?.endpoint.id) return;
  if (before !== undefined) await tell(context, "revokeExternalConnectivity", before);
  if (after === undefined) return;
  try {
    await tell(context, "programExternalConnectivity", after);
  } catch (error) {
    const back = [
      () => tell(context, "revokeExternalConnectivity", after),
      () => (before === undefined ? undefined : tell(context, "programExternalConnectivity", before)),
    ];
    await runAll("way out", back).catch((cause: unknown) =>
      context.events.emit({ event: "removal-failed", what: endpointOwner(after.endpoint.id), error: cause }),
    );
    throw error;
  }
}

async function tell(
  context: Context,
  verb: "programExternalConnectivity" | "revokeExternalConnectivity",
  { endpoint, network }: Attachment,
): Promise<void> {
  const driver = driverOf(context, network.driver);
  await callDriver(driver, verb, () => driver[verb](driverNetwork(network), driverEndpoint(endpoint)));
}

function wayOut(ordered: readonly Attachment[]): Attachment | undefined {
  return (gatewayFor(ordered, 4) ?? gatewayFor(ordered, 6))?.attachment;
}
