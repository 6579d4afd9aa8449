import type { EndpointConfig } from "../../api/index.ts";
import type { Controller, EndpointOptions, JoinOptions, NewSandbox } from "../../cnm/index.ts";
import { shortId, WeftError } from "../../core/index.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** The network of a sandbox that names none. */
const defaultNetwork = "bridge";

/** As Docker has them in its containers since 20.10: every user may listen on low ports, and ping without CAP_NET_RAW. */
const unprivilegedSysctls = {
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 2147483647",
} as const;

/** How a sandbox gets its network: one of its own, the host's, none but loopback, or another sandbox's. */
export type NetworkMode =
  | { readonly mode: "own" | "host" | "none" }
  | { readonly mode: "shared"; readonly sandbox: string };

/** Reads `host`, `none`, `container:NAME`, and nothing. Throws INVALID_OPTION. */
export function parseNetworkMode(text: string): NetworkMode {
  if (text === "") return { mode: "own" };
  if (text === "host" || text === "none") return { mode: text };
  const [, sandbox] = /^container:(.+)$/.exec(text) ?? [];
  if (sandbox !== undefined) return { mode: "shared", sandbox };
  throw new WeftError(
    "INVALID_OPTION",
    `invalid network mode ${JSON.stringify(text)}: it should be host, none or container:SANDBOX`,
  );
}

/** The networks that a new sandbox is to be on. */
export function initialNetworks(
  mode: NetworkMode,
  asked: readonly EndpointConfig[],
): readonly EndpointConfig[] {
  if (mode.mode === "host" || mode.mode === "none") return [{ Network: mode.mode }];
  if (mode.mode === "shared") return [];
  return asked.length > 0 ? asked : [{ Network: defaultNetwork }];
}

/** What the model is asked for when a sandbox is opened. Throws INVALID_OPTION, NETWORK_NOT_FOUND. */
export function modelSandbox(
  controller: Pick<Controller, "network">,
  { id, config, networks }: SandboxRecord,
): NewSandbox {
  const { mode } = parseNetworkMode(config.NetworkMode);
  return {
    hostname: config.Hostname === "" ? shortId(id) : config.Hostname,
    domainName: config.Domainname,
    dns: config.Dns,
    dnsSearch: config.DnsSearch,
    dnsOptions: config.DnsOptions,
    extraHosts: extraHosts(config.ExtraHosts),
    ports: config.Ports,
    exposedPorts: config.ExposedPorts,
    publishAll: config.PublishAllPorts,
    hostNetns: mode === "host",
    // A namespace that something else made is left as it is.
    sysctls: { ...(mode === "host" || config.Netns !== "" ? {} : unprivilegedSysctls), ...config.Sysctls },
    ...(config.Netns === "" ? {} : { netnsPath: config.Netns }),
    endpoints: networks.map((endpoint) => ({
      network: controller.network(endpoint.Network),
      ...endpointOptions(endpoint),
    })),
  };
}

/** An endpoint's part of a request in the model's words. Throws INVALID_OPTION. */
export function endpointOptions(endpoint: Omit<EndpointConfig, "Network">): EndpointOptions & JoinOptions {
  const { IPv4Address, IPv6Address, LinkLocalIPs, MacAddress, Aliases, DriverOpts, GwPriority, Links } =
    endpoint;
  return {
    ...(IPv4Address === undefined ? {} : { ipv4Address: IPv4Address }),
    ...(IPv6Address === undefined ? {} : { ipv6Address: IPv6Address }),
    ...(LinkLocalIPs === undefined ? {} : { linkLocalAddresses: LinkLocalIPs }),
    ...(MacAddress === undefined ? {} : { macAddress: MacAddress }),
    ...(Aliases === undefined ? {} : { aliases: Aliases }),
    ...(DriverOpts === undefined ? {} : { options: DriverOpts }),
    ...(GwPriority === undefined ? {} : { priority: GwPriority }),
    ...(Links === undefined ? {} : { links: linksByAlias(Links) }),
  };
}

/** `name:alias` as the model has it. Throws INVALID_OPTION. */
function linksByAlias(links: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    links.map((link) => {
      const [, name, alias] = /^([^:]+)(?::([^:]+))?$/.exec(link) ?? [];
      if (name !== undefined) return [alias ?? name, name];
      throw new WeftError("INVALID_OPTION", `invalid link ${JSON.stringify(link)}: it should be NAME:ALIAS`);
    }),
  );
}

/** `name:address` as the model has it; a name may have several, and addresses of IPv6 have colons of their own. Throws INVALID_OPTION. */
function extraHosts(entries: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const hosts: Record<string, string[]> = {};
  for (const entry of entries) {
    const [, name, address] = /^([^:=]+)[:=](.+)$/.exec(entry) ?? [];
    if (name === undefined || address === undefined) {
      throw new WeftError(
        "INVALID_OPTION",
        `invalid extra host ${JSON.stringify(entry)}: it should be NAME:ADDRESS`,
      );
    }
    const known = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
    hosts[name] = [...(known ?? []), address.replace(/^\[(.*)\]$/, "$1")];
  }
  return hosts;
}
