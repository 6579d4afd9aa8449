import { type Family, type Id, type IpAddress, shortId, WeftError } from "../../core/index.ts";
import type { DriverNetwork, DriverOptions } from "../contract.ts";
import {
  addressOption,
  booleanOption,
  checkInterfaceName,
  interfaceNameOption,
  interfacePrefixOption,
  mtuOption,
  refuseUnknownOptions,
} from "../options.ts";
import { type GatewayMode, gatewayModeOption } from "./gateway-mode.ts";

/** The options of a bridge network; the reference's names, docker/docs "bridge driver options", but for `parent`. */
export const bridgeOption = {
  name: "com.docker.network.bridge.name",
  parent: "com.docker.network.bridge.parent",
  defaultBridge: "com.docker.network.bridge.default_bridge",
  icc: "com.docker.network.bridge.enable_icc",
  masquerade: "com.docker.network.bridge.enable_ip_masquerade",
  inhibitIpv4: "com.docker.network.bridge.inhibit_ipv4",
  hostBindingIpv4: "com.docker.network.bridge.host_binding_ipv4",
  gatewayModeIpv4: "com.docker.network.bridge.gateway_mode_ipv4",
  gatewayModeIpv6: "com.docker.network.bridge.gateway_mode_ipv6",
  trustedInterfaces: "com.docker.network.bridge.trusted_host_interfaces",
  hostIpv4: "com.docker.network.host_ipv4",
  hostIpv6: "com.docker.network.host_ipv6",
  mtu: "com.docker.network.driver.mtu",
  interfacePrefix: "com.docker.network.container_iface_prefix",
} as const;

/** The options of a bridge network, read and checked. */
export interface BridgeOptions {
  /** The Linux interface that the user wants the bridge to be. */
  readonly bridgeName: string | undefined;
  /** The link of the host that becomes a port of the bridge; weft's own option. */
  readonly parent: string | undefined;
  /** Sandboxes of the network may talk to each other. */
  readonly icc: boolean;
  /** Traffic to the outside leaves by the host's address. */
  readonly masquerade: boolean;
  /** The bridge gets no IPv4 address. */
  readonly inhibitIpv4: boolean;
  /** Where ports are published that name no address of the host; on all of them without. */
  readonly hostBindingIpv4: IpAddress | undefined;
  readonly gatewayMode: Readonly<Record<Family, GatewayMode>>;
  /** Interfaces of the host from which published ports may be reached at the sandboxes' own addresses. */
  readonly trustedInterfaces: readonly string[];
  /** The address that traffic to the outside leaves by, in place of the one of the interface that it leaves by. */
  readonly hostAddress: Readonly<Record<Family, IpAddress | undefined>>;
  /** Bytes. */
  readonly mtu: number | undefined;
  /** Prefix of the interfaces' names in sandboxes. */
  readonly interfacePrefix: string;
}

/** Reads the options of a bridge network. Throws UNKNOWN_OPTION, INVALID_OPTION. */
export function parseBridgeOptions({
  options,
  ipv4,
  ipv6,
  internal,
}: Pick<DriverNetwork, "options" | "ipv4" | "ipv6" | "internal">): BridgeOptions {
  refuseUnknownOptions("bridge", options, Object.values(bridgeOption));
  booleanOption(options, bridgeOption.defaultBridge, false); // a label: src/cnm says which network may have it
  if (!ipv4 && !ipv6) throw new WeftError("INVALID_OPTION", "IPv4 or IPv6 must be enabled");
  return {
    bridgeName: bridgeName(options),
    parent: parentOption(options, internal),
    icc: booleanOption(options, bridgeOption.icc, true),
    masquerade: booleanOption(options, bridgeOption.masquerade, true),
    inhibitIpv4: booleanOption(options, bridgeOption.inhibitIpv4, false),
    hostBindingIpv4: addressOption(options, bridgeOption.hostBindingIpv4, 4),
    gatewayMode: {
      4: gatewayModeOption(options, bridgeOption.gatewayModeIpv4, internal),
      6: gatewayModeOption(options, bridgeOption.gatewayModeIpv6, internal),
    },
    trustedInterfaces: trustedInterfaces(options),
    hostAddress: {
      4: addressOption(options, bridgeOption.hostIpv4, 4),
      6: addressOption(options, bridgeOption.hostIpv6, 6),
    },
    mtu: mtuOption(options, bridgeOption.mtu, ipv6),
    interfacePrefix: interfacePrefixOption(options, bridgeOption.interfacePrefix),
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

function parentOption(options: DriverOptions, internal: boolean): string | undefined {
  const parent = options[bridgeOption.parent];
  if (parent === undefined || !internal) return parent;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${bridgeOption.parent} ${JSON.stringify(parent)}: an internal network has no way out, and a parent is one`,
  );
}

function trustedInterfaces(options: DriverOptions): readonly string[] {
  const text = options[bridgeOption.trustedInterfaces] ?? "";
  const names = text === "" ? [] : text.split(":");
  for (const name of names) checkInterfaceName(name, bridgeOption.trustedInterfaces);
  return [...new Set(names)];
}
