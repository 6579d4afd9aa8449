import { WeftError } from "../core/index.ts";
import type { Wanted } from "../plan/index.ts";
import { type Context, driverOf, sandboxChange } from "./context.ts";
import type { Attachment } from "./gateway-order.ts";
import { planEndpoint, planNetwork, sandboxOwner } from "./plans.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "./records.ts";

/** What a network's record says that the host must hold. Throws what its driver throws. */
export function networkPlan(context: Context, network: NetworkRecord): readonly Wanted[] {
  return planNetwork(driverOf(context, network.driver), network);
}

/** What a sandbox's record says that the host must hold for it. Throws what the drivers throw. */
export function sandboxPlan(
  context: Context,
  sandbox: SandboxRecord,
  attachments: readonly Attachment[],
): readonly Wanted[] {
  return sandboxChange(context, sandbox, attachments).get(sandboxOwner(sandbox.id)) ?? [];
}

/** What an endpoint's record says that the host must hold. Throws INTERNAL when the records do not fit, and what its driver throws. */
export function endpointPlan(context: Context, endpoint: EndpointRecord): readonly Wanted[] {
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
