import { WeftError } from "../core/index.ts";
import { formatHostPort, type HostPort } from "./port-binding.ts";
import { formatSocketAddress } from "./protocol.ts";

/** Why one host port cannot be had. */
export interface Refusal {
  readonly hostPort: HostPort;
  readonly why: "published" | "taken" | "no-address";
}

/** PORT_IN_USE or HOST_ADDRESS_MISSING, in the words of Docker (LN §1.9), and of the kernel as Docker's users know them. */
export function refusalError({ hostPort, why }: Refusal): WeftError {
  const details = { ...hostPort };
  if (why === "published") {
    const where = formatSocketAddress(hostPort.hostAddress, hostPort.hostPort);
    return new WeftError("PORT_IN_USE", `Bind for ${where} failed: port is already allocated`, { details });
  }
  const failed = `failed to bind host port ${formatHostPort(hostPort)}`;
  if (why === "taken") return new WeftError("PORT_IN_USE", `${failed}: address already in use`, { details });
  return new WeftError(
    "HOST_ADDRESS_MISSING",
    `${failed}: cannot assign requested address: the host has no address ${hostPort.hostAddress}`,
    { details },
  );
}
