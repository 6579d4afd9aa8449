import type { ControllerOptions, PredefinedNetworks } from "../cnm/index.ts";
import type { DaemonConfig } from "./config.ts";

/** A configuration in the model's words. */
export function controllerOptions(config: DaemonConfig): Omit<ControllerOptions, "root"> {
  return {
    defaultAddressPools: config["default-address-pools"],
    defaultNetworkOptions: config["default-network-opts"],

    hostGatewayAddresses: config["host-gateway-ips"],
    selfRepair: config["weft-self-repair"],
    keepBridgeNetfilter: config["weft-keep-bridge-netfilter"],
  };
}

/** How the networks that every host has are to be. */
export function predefinedNetworks(config: DaemonConfig): PredefinedNetworks {
  if (config.bridge === "none") return { bridge: "none" };
  const { bip, bip6, ip, mtu, icc, ipv6 } = config;
  const given = {
    bip,
    bip6,
    ip,
    mtu,
    "fixed-cidr": config["fixed-cidr"],
    "fixed-cidr-v6": config["fixed-cidr-v6"],
    "default-gateway": config["default-gateway"],
    "default-gateway-v6": config["default-gateway-v6"],
  };
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { bridge: { ...named, icc, ipv6, "ip-masq": config["ip-masq"] } };
}
