import {
  addressPart,
  type Family,
  familyOf,
  type Id,
  type InterfaceAddress,
  type MacAddress,
  macFromBytes,
} from "../../core/index.ts";
import { type Effect, hostNetns, type KernelObject, type NetnsRef } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type { DriverEndpoint, DriverJoin, DriverNetwork, DriverPool } from "../contract.ts";
import { enabledSysctl, ipv6Sysctls, lacksIpv6 } from "../ipv6-sysctls.ts";
import { planUnderlayPorts } from "./bridge-parent.ts";
import type { BridgeAnswer } from "./facts.ts";
import { translates } from "./gateway-mode.ts";
import type { BridgeOptions } from "./options.ts";
import { sandboxTable } from "./sandbox-table.ts";
import { bridgeTable, element } from "./table.ts";

/** The host's end of an endpoint's veth pair: `veth` and 11 digits of the endpoint's id, 15 bytes in all. */
export function hostLinkName(endpoint: Id): string {
  return `veth${endpoint.slice(0, 11)}`;
}

/** What the host must hold for a bridge network. */
export function planBridgeNetwork(
  network: DriverNetwork,
  options: BridgeOptions,
  answer: BridgeAnswer,
): readonly Wanted[] {
  const objects = [
    ...bridgeLink(network, options, answer),
    ...forwarding(network, answer),
    bridgeTable,
    ...(isPlumbed(network, answer) ? [sandboxTable] : []),
    ...tableElements(network, options, answer),
  ];
  return [...objects.map((object) => ({ object })), ...planUnderlayPorts(answer)];
}

/** Bytes: what the user chose, but no more than the parent has, or that; the kernel's default without either. */
export function mtuOf(
  { mtu }: Pick<BridgeOptions, "mtu">,
  { parent }: Pick<BridgeAnswer, "parent">,
): number | undefined {
  return parent === undefined ? mtu : Math.min(mtu ?? parent.mtu, parent.mtu);
}

/** The MTU that weft gives the bridge itself; none for one that is somebody else's, or that takes its ports'. */
export function givenMtu(
  options: Pick<BridgeOptions, "mtu">,
  answer: Pick<BridgeAnswer, "adopted" | "parent">,
): number | undefined {
  return answer.adopted ? undefined : mtuOf(options, answer);
}

/** True for a network whose sandboxes share their bridge with others, by a port of it that leads to the underlay. */
function isPlumbed({ internal }: DriverNetwork, { underlayPorts = [] }: BridgeAnswer): boolean {
  return !internal && underlayPorts.length > 0;
}

function bridgeLink(network: DriverNetwork, options: BridgeOptions, answer: BridgeAnswer): KernelObject[] {
  const { bridge, adopted } = answer;
  const link: KernelObject = adopted
    ? { kind: "link", netns: hostNetns, name: bridge, spec: { type: "adopted" } }
    : {
        kind: "link",
        netns: hostNetns,
        name: bridge,
        spec: { type: "bridge" },
        mac: bridgeMac(network.id),
        mtu: mtuOf(options, answer),
        alias: `weft network ${network.name}`,
      };
  return [
    link,
    ...bridgeSysctls(network, options, answer),
    ...bridgeAddresses(network, options).map(
      (address): KernelObject => ({ kind: "address", netns: hostNetns, link: bridge, address }),
    ),
    { kind: "up", netns: hostNetns, link: bridge },
  ];
}

function bridgeSysctls(network: DriverNetwork, options: BridgeOptions, answer: BridgeAnswer): KernelObject[] {
  const { bridge, adopted, ipv6Available, advertisedLinks } = answer;
  if (!ipv6Available) return [];
  const ipv6 = bridgeHasIpv6(network, options);
  if (!ipv6 && isSmall(options, answer)) return [];
  // The host itself may live by it: it would lose its addresses, or its way out.
  const isHosts = adopted && (isPlumbed(network, answer) || advertisedLinks.includes(bridge));
  if (!isHosts) return ipv6Sysctls(hostNetns, bridge, ipv6, undefined);
  return ipv6 ? [enabledSysctl(hostNetns, bridge)] : [];
}

/** True when the host itself is to have IPv6 on the network's bridge. */
export function bridgeHasIpv6(
  { ipv6 }: Pick<DriverNetwork, "ipv6">,
  { gatewayMode }: Pick<BridgeOptions, "gatewayMode">,
): boolean {
  return ipv6 && gatewayMode[6] !== "isolated";
}

/** True when Linux has no IPv6 on the bridge, by the MTU that weft gives it, or else by what was found. */
function isSmall(options: BridgeOptions, answer: BridgeAnswer): boolean {
  const given = givenMtu(options, answer);
  return given === undefined ? isFoundSmall(answer, answer.bridge) : lacksIpv6(given);
}

function isFoundSmall({ smallLinks = [] }: BridgeAnswer, link: string): boolean {
  return smallLinks.includes(link);
}

/**
 * A bridge's own address, locally administered. Without one a bridge takes the lowest of its ports', another
 * whenever a sandbox comes or goes, and the others send to the former until they find out.
 */
function bridgeMac(id: Id): MacAddress {
  return macFromBytes(Buffer.from(`02${id.slice(0, 10)}`, "hex"));
}

/** The addresses that the bridge itself has, by which the host reaches its sandboxes and they the host. */
export function bridgeAddresses(
  { pools }: DriverNetwork,
  options: BridgeOptions,
): readonly InterfaceAddress[] {
  return pools.flatMap(({ family, gateway }) => {
    const none = options.gatewayMode[family] === "isolated" || (options.inhibitIpv4 && family === 4);
    return gateway === undefined || none ? [] : [gateway];
  });
}

const forwardingKey: Readonly<Record<Family, string>> = {
  4: "net/ipv4/ip_forward",
  6: "net/ipv6/conf/all/forwarding",
};

/** A network with a way out makes its host forward; where weft turned that on, nobody else's traffic may use it. */
function forwarding(network: DriverNetwork, answer: BridgeAnswer): KernelObject[] {
  if (network.internal) return [];
  const objects: KernelObject[] = [];
  // A forwarding host ignores router advertisements, and drops the default route it has learned the
  // moment it begins to forward, unless told otherwise before.
  for (const link of answer.advertisedLinks) {
    if (isFoundSmall(answer, link)) continue;
    objects.push({
      kind: "sysctl",
      netns: hostNetns,
      key: `net/ipv6/conf/${link}/accept_ra`,
      value: "2",
      link,
    });
  }
  for (const family of familiesOf(network)) {
    objects.push({
      kind: "sysctl",
      netns: hostNetns,
      key: forwardingKey[family],
      value: "1",
      opensTraffic: true,
    });
    if (!answer.forwardedBefore[family])
      objects.push(
        element("foreign", [poolSets[family].protocol], { data: { verdict: "drop" } }),
        ...forwardingByLink(family, answer),
      );
  }
  if (familiesOf(network).some((family) => !answer.forwardedBefore[family]))
    objects.push(...answer.guardedBridges.map((link) => element("guarded", [link])));
  // Linux makes 0 of this when forwarding begins and 1 when it ends, whatever it was before.
  if (network.ipv4 && !answer.forwardedBefore[4])
    objects.push({ kind: "sysctl", netns: hostNetns, key: "net/ipv4/conf/all/accept_redirects", value: "0" });
  return objects;
}

/**
 * A host may be a router by single links. IPv4 asks the link that a packet came by, and not the host; so does IPv6
 * with force_forwarding alone. What they forwarded goes on. Linux writes the host's value on every link, on as well
 * as off: theirs are wanted as they will be, so that what they were is put back after the host's.
 */
function forwardingByLink(family: Family, answer: BridgeAnswer): KernelObject[] {
  const { forwardingLinks, forcedLinks = [] } = answer;
  const kept = (forwardingLinks?.[family] ?? []).filter((one) => family === 4 || !isFoundSmall(answer, one));
  const routers = family === 4 ? kept.filter((name) => name !== "default") : forcedLinks;
  return [
    ...kept.map(
      (name): KernelObject => ({
        kind: "sysctl",
        netns: hostNetns,
        key: `net/ipv${family}/conf/${name}/forwarding`,
        value: "1",
        ...(name === "default" ? {} : { link: name }),
      }),
    ),
    ...routers.map((link) => element("routers", [link, poolSets[family].protocol])),
  ];
}

function tableElements(network: DriverNetwork, options: BridgeOptions, answer: BridgeAnswer): KernelObject[] {
  const { bridge } = answer;
  const elements = [element("ifs", [bridge])];
  if (options.icc) elements.push(element("icc", [bridge, bridge]));
  if (network.internal) elements.push(element("internal", [bridge]));
  for (const { family, pool } of network.pools) elements.push(element(poolSets[family].own, [bridge, pool]));
  // On the underlay the host's address is for everybody there, as its others are.
  if (isPlumbed(network, answer))
    elements.push(element("plumbed", [bridge]), element("segment", [bridge, bridge]));
  for (const address of isPlumbed(network, answer) ? [] : bridgeAddresses(network, options)) {
    const host = addressPart(address);
    elements.push(element(poolSets[familyOf(host)].bridges, [host]));
  }
  if (network.internal) return elements;
  return [...elements, ...network.pools.flatMap((pool) => wayOutElements(pool, options, bridge))];
}

/** What the table holds for one family of a network with a way out. */
function wayOutElements(
  { family, pool }: DriverPool,
  options: BridgeOptions,
  bridge: string,
): KernelObject[] {
  const names = poolSets[family];
  const mode = options.gatewayMode[family];
  const elements: KernelObject[] = [element(names.pools, [pool])];
  if (mode === "nat-unprotected") elements.push(element("unprotected", [bridge, names.protocol]));
  if (mode === "routed") elements.push(element("routed", [bridge, names.protocol]));
  if (!translates(mode) || !options.masquerade) return elements;
  const source = options.hostAddress[family];
  elements.push(
    source === undefined ? element(names.masq, [pool]) : element(names.snat, [pool], { data: [source] }),
  );
  return elements;
}

const poolSets = {
  4: { own: "own4", pools: "pools4", bridges: "bridges4", masq: "masq4", snat: "snat4", protocol: "ipv4" },
  6: { own: "own6", pools: "pools6", bridges: "bridges6", masq: "masq6", snat: "snat6", protocol: "ipv6" },
} as const;

function familiesOf(network: DriverNetwork): Family[] {
  return [...(network.ipv4 ? [4 as const] : []), ...(network.ipv6 ? [6 as const] : [])];
}

/** What the host must hold for an endpoint of a bridge network that is in a sandbox. */
export function planBridgeEndpoint(
  network: DriverNetwork,
  endpoint: DriverEndpoint,
  { netns, ifname, publishes }: DriverJoin,
  options: BridgeOptions,
  answer: BridgeAnswer,
): readonly Wanted[] {
  const name = hostLinkName(endpoint.id);
  const mac = endpoint.macAddress;
  const mtu = mtuOf(options, answer);
  const link: KernelObject = {
    kind: "link",
    netns: hostNetns,
    name,
    spec: { type: "veth", peer: { netns, name: ifname, mac } },
    mtu,
  };
  const announce: Effect[] =
    mac === undefined
      ? []
      : [
          {
            effect: "announce",
            netns,
            link: ifname,
            mac,
            addresses: endpoint.addresses.map((one) => addressPart(one)),
          },
        ];
  return [
    { object: link, effectsWhenGone: endpoint.addresses.flatMap(forgetFlowsOf) },
    ...(answer.ipv6Available ? ipv6Sysctls(netns, ifname, network.ipv6, mtu) : []).map((object) => ({
      object,
    })),
    {
      object: {
        kind: "port",
        netns: hostNetns,
        link: name,
        master: answer.bridge,
        // With br_netfilter on, what a sandbox sends to its own published port comes back as a bridged frame.
        hairpin: publishes,
        isolated: !options.icc,
      },
    },
    ...endpoint.addresses.map((address) => ({ object: addressOn(netns, ifname, address) })),
    { object: { kind: "up", netns: hostNetns, link: name } },
    // The last of the endpoint's links: from here on its addresses answer.
    { object: { kind: "up", netns, link: ifname }, effects: announce },
  ];
}

/**
 * Flows that led to the address would lead to whoever has it next, and so would the answers to what was sent
 * from it: whoever was asked can send them, and keep the flow alive by them, for as long as it likes.
 */
function forgetFlowsOf(address: InterfaceAddress): Effect[] {
  const own = addressPart(address);
  const flows = { effect: "forget-flows", netns: hostNetns, family: familyOf(own) } as const;
  return [
    { ...flows, replySource: own },
    { ...flows, originalSource: own },
  ];
}

function addressOn(netns: NetnsRef, link: string, address: InterfaceAddress): KernelObject {
  return { kind: "address", netns, link, address };
}
