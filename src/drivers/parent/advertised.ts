import type { DriverNetwork } from "../contract.ts";
import type { EndpointKind } from "./parent-options.ts";

/** Whether the sandboxes of a network on a wire listen to its routers: without a gateway of IPv6 that the user named. */
export function listensToRouters(
  { ipv6, internal, pools }: DriverNetwork,
  { onWire }: Pick<EndpointKind, "onWire">,
): boolean {
  const hasGateway = pools.some(({ family, gateway }) => family === 6 && gateway !== undefined);
  return ipv6 && onWire && !internal && !hasGateway;
}
