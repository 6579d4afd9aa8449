import type { Wanted } from "../plan/index.ts";
import type { PortBinding } from "../ports/index.ts";
import { driverEndpoint, driverNetwork } from "./driver-views.ts";
import type { Attachment } from "./gateway-order.ts";
import { heldPorts } from "./held-ports.ts";
import { type DriverOf, publicationsOf, waysIn } from "./port-requests.ts";
import type { SandboxRecord } from "./records.ts";

/**
 * What the host must hold for a sandbox's published ports: the sockets that reserve the host's ports, and
 * what the drivers of its ways in want. `bindings` are those in force; `ordered` is in gateway order.
 */
export function planPorts(
  sandbox: SandboxRecord,
  bindings: readonly PortBinding[],
  ordered: readonly Attachment[],
  driverOf: DriverOf,
): readonly Wanted[] {
  if (sandbox.ports.length === 0) return [];
  const published = publicationsOf(sandbox, bindings, waysIn(ordered, driverOf));
  const wanted = published.flatMap(({ attachment: { endpoint, network }, publication }) => {
    const driver = driverOf(network);
    return driver?.planPorts?.(driverNetwork(network), driverEndpoint(endpoint), publication) ?? [];
  });
  const forwards = published.flatMap(({ publication }) => publication.translated);
  return forwards.length === 0
    ? wanted
    : [{ object: heldPorts({ sandbox: sandbox.id, forwards }) }, ...wanted];
}
