import {
  addressPart,
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
} from "../../core/index.ts";
import { type Effect, hostNetns, type KernelObject } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import { isTranslated, isUnspecified, type PublishedPort, portTranslation } from "../../ports/index.ts";
import type { DriverEndpoint, DriverNetwork, OpenPort, Publication, Publishing } from "../contract.ts";
import { translates } from "./gateway-mode.ts";
import type { BridgeOptions } from "./options.ts";
import { element } from "./table.ts";

/** How a bridge network publishes: an internal one not at all. */
export function bridgePublishing(
  { internal, ipv4, ipv6 }: Pick<DriverNetwork, "internal" | "ipv4" | "ipv6">,
  options: BridgeOptions,
): Publishing {
  const enabled = { 4: ipv4, 6: ipv6 };
  const mode = (family: Family) => {
    if (internal || !enabled[family]) return "none";
    return translates(options.gatewayMode[family]) ? "nat" : "routed";
  };
  return { mode: { 4: mode(4), 6: mode(6) }, hostAddress: options.hostBindingIpv4 };
}

/** What the host must hold for ports that are published through an endpoint of a bridge network. */
export function planBridgePorts(
  bridge: string,
  options: BridgeOptions,
  endpoint: DriverEndpoint,
  { translated, open, families }: Publication,
): readonly Wanted[] {
  const wanted = portsOf(translated);
  if (!options.icc) wanted.push(...translated.flatMap((port) => portBySiblings(bridge, port)));
  // 127.0.0.1 reaches a sandbox only over a bridge that may carry it; the table keeps all others from using that.
  if (translated.some((port) => familyOf(port.hostAddress) === 4 && isTranslated(port)))
    wanted.push({ object: localRoutes(bridge) });
  for (const address of endpoint.addresses) {
    const family = familyOf(address);
    const opens = options.gatewayMode[family] === "routed" || options.trustedInterfaces.length > 0;
    if (opens && families.includes(family))
      wanted.push(...open.flatMap((port) => directPort(options, address, port)));
  }
  return wanted;
}

function portsOf(translated: readonly PublishedPort[]): Wanted[] {
  const wanted: Wanted[] = [];
  const reserved = new Set<string>();
  for (const published of translated) {
    const { protocol, hostPort } = published;
    const leading = portTranslation(published);
    if (leading !== undefined) {
      const { key, data = [] } = leading.element;
      const object = element(leading.set, key, { data });
      // A flow of UDP would go on to where it went before, for as long as anybody sends.
      const effects = protocol === "udp" ? [forgetFlows(published)] : noEffects;
      wanted.push({ object, effects, effectsWhenGone: effects });
    }
    // A port that is published on several addresses is in the set once.
    const member = `${protocol} ${hostPort}`;
    if (reserved.has(member)) continue;
    reserved.add(member);
    wanted.push({ object: element("reserved", [protocol, hostPort]) });
  }
  return wanted;
}

const noEffects: readonly Effect[] = [];

/**
 * Isolated ports of a bridge exchange no frames, and with br_netfilter on, what is rewritten to go back to the
 * bridge stays on it. So siblings, and the sandbox itself, are served by the proxy, which does not know SCTP.
 */
function portBySiblings(bridge: string, port: PublishedPort): Wanted[] {
  if (port.protocol === "sctp" || !isTranslated(port)) return [];
  return [{ object: element("proxied", [bridge, port.protocol, port.hostPort]) }];
}

function forgetFlows({ hostAddress, hostPort }: PublishedPort): Effect {
  return {
    effect: "forget-flows",
    netns: hostNetns,
    family: familyOf(hostAddress),
    protocol: udpProtocol,
    originalAddress: isUnspecified(hostAddress) ? undefined : hostAddress,
    originalPort: hostPort,
  };
}

function forgetDirectFlows(target: IpAddress, port: number): Effect {
  return {
    effect: "forget-flows",
    netns: hostNetns,
    family: familyOf(target),
    protocol: udpProtocol,
    originalAddress: target,
    originalPort: port,
  };
}

/** IPPROTO_UDP. */
const udpProtocol = 17;

function localRoutes(bridge: string): KernelObject {
  return {
    kind: "sysctl",
    netns: hostNetns,
    key: `net/ipv4/conf/${bridge}/route_localnet`,
    value: "1",
    link: bridge,
    opensTraffic: true,
  };
}

/** Openings at the sandbox's own address: for everybody on a routed network, else for trusted interfaces. */
function directPort(
  { gatewayMode, trustedInterfaces }: BridgeOptions,
  address: InterfaceAddress,
  { protocol, port }: OpenPort,
): Wanted[] {
  const family = familyOf(address);
  const target: IpAddress = addressPart(address);
  const effectsWhenGone: Effect[] = protocol === "udp" ? [forgetDirectFlows(target, port)] : [];
  if (gatewayMode[family] === "routed") {
    const open = element(family === 4 ? "open4" : "open6", [target, protocol, port]);
    return [{ object: open, effectsWhenGone }];
  }
  if (!translates(gatewayMode[family])) return [];
  const trusted = family === 4 ? "trusted4" : "trusted6";
  return trustedInterfaces.map((name) => ({
    object: element(trusted, [name, target, protocol, port]),
    effectsWhenGone,
  }));
}
