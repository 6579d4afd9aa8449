import { type Id, shortId, WeftError } from "../../core/index.ts";
import type { DriverNetwork, DriverOptions } from "../contract.ts";
import {
  booleanOption,
  checkInterfaceName,
  interfaceNameOption,
  mtuOption,
  refuseUnknownOptions,
} from "../options.ts";

/** The options of a bridge network; the reference's names, docker/docs "bridge driver options". */
export const bridgeOption = {
  name: "com.docker.network.bridge.name",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  inhibitIpv4: "com.docker.network.bridge.inhibit_ipv4",
  mtu: "com.docker.network.driver.mtu",
  interfacePrefix: "com.docker.network.container_iface_prefix",
} as const;

/** The options of a bridge network, read and checked. */
export interface BridgeOptions {
  /** The Linux interface that the user wants the bridge to be. */
  readonly bridgeName: string | undefined;
  /** Sandboxes of the network may talk to each other. */
  readonly icc: boolean;
  /** Traffic to the outside leaves by the host's address. */
  readonly masquerade: boolean;
  /** The bridge gets no IPv4 address. */
  readonly inhibitIpv4: boolean;
  /** Bytes. */
  readonly mtu: number | undefined;
  /** Prefix of the interfaces' names in sandboxes. */
  readonly interfacePrefix: string;
}

/** An interface prefix leaves room for two digits. */
const prefixBytes = 13;

/** Reads the options of a bridge network. Throws UNKNOWN_OPTION, INVALID_OPTION. */
export function parseBridgeOptions({
  options,
  ipv4,
  ipv6,
}: Pick<DriverNetwork, "options" | "ipv4" | "ipv6">): BridgeOptions {
  refuseUnknownOptions("bridge", options, Object.values(bridgeOption));
  if (!ipv4 && !ipv6) throw new WeftError("INVALID_OPTION", "IPv4 or IPv6 must be enabled");
  return {
    bridgeName: bridgeName(options),
    icc: booleanOption(options, bridgeOption.icc, true),
    masquerade: booleanOption(options, bridgeOption.masquerade, true),
    inhibitIpv4: booleanOption(options, bridgeOption.inhibitIpv4, false),
    mtu: mtuOption(options, bridgeOption.mtu, ipv6),
    interfacePrefix: interfacePrefix(options),
  };
}

/** The name of the bridge when the user names none, as the reference makes it. */
export function defaultBridgeName(id: Id): string {
  return `br-${shortId(id)}`;
}

function bridgeName(options: DriverOptions): string | undefined {
  const name = interfaceNameOption(options, bridgeOption.name, 15);
  if (name === "lo")
    throw new WeftError(
      "INVALID_OPTION",
      `invalid ${bridgeOption.name} "lo": the loopback interface is no bridge`,
    );
  return name;
}

function interfacePrefix(options: DriverOptions): string {
  const prefix = options[bridgeOption.interfacePrefix] ?? "eth";
  checkInterfaceName(prefix, bridgeOption.interfacePrefix, prefixBytes);
  return prefix;
}
