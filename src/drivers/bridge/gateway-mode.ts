import { WeftError } from "../../core/index.ts";
import type { DriverOptions } from "../contract.ts";

/**
 * How one family of a bridge network reaches the outside (LN §1.3). `nat`: it leaves by the host's
 * address, and published ports of the host are rewritten; nothing else comes in. `nat-unprotected`: the
 * same, but everything may come in that has a route. `routed`: nothing is rewritten; published ports are
 * open at the sandbox's own address. `isolated`: the bridge itself has no address; internal networks only.
 */
export type GatewayMode = (typeof modes)[number];

const modes = ["nat", "nat-unprotected", "routed", "isolated"] as const;

/** Reads a gateway mode; `nat` when there is none. Throws INVALID_OPTION. */
export function gatewayModeOption(options: DriverOptions, name: string, internal: boolean): GatewayMode {
  const text = options[name] ?? "";
  const mode = text === "" ? "nat" : modes.find((one) => one === text);
  if (mode === undefined) {
    throw new WeftError(
      "INVALID_OPTION",
      `unknown gateway mode ${text}: ${name} should be one of ${modes.join(", ")}`,
    );
  }
  if (mode === "isolated" && !internal)
    throw new WeftError("INVALID_OPTION", "gateway mode 'isolated' can only be used for an internal network");
  return mode;
}

/** True for the modes in which addresses are rewritten. */
export function translates(mode: GatewayMode): boolean {
  return mode === "nat" || mode === "nat-unprotected";
}
