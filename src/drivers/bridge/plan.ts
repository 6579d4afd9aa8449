import { addressPart, type Family, familyOf, type Id, type InterfaceAddress } from "../../core/index.ts";
import { type Effect, hostNetns, type KernelObject, type NetnsRef } from "../../kernel/index.ts";
import type { Wanted } from "../../plan/index.ts";
import type { DriverEndpoint, DriverJoin, DriverNetwork } from "../contract.ts";
import type { BridgeAnswer } from "./facts.ts";
import type { BridgeOptions } from "./options.ts";
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
    ...tableElements(network, options, answer),
  ];
  return objects.map((object) => ({ object }));
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
        mtu: options.mtu,
        alias: `weft network ${network.name}`,
      };
  const addresses = network.pools.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway]));
  return [
    link,
    ...(answer.ipv6Available ? ipv6Sysctls(hostNetns, bridge, network.ipv6) : []),
    ...addresses
      .filter((address) => !(options.inhibitIpv4 && familyOf(address) === 4))
      .map((address): KernelObject => ({ kind: "address", netns: hostNetns, link: bridge, address })),
    { kind: "up", netns: hostNetns, link: bridge },
  ];
}

/**
 * Without IPv6 the link gets no address of it, not even a link-local one. With it, router
 * advertisements are not listened to: any sandbox could send them (CVE-2020-13401).
 */
function ipv6Sysctls(netns: NetnsRef, link: string, ipv6: boolean): KernelObject[] {
  const sysctl = (name: string, value: string): KernelObject => ({
    kind: "sysctl",
    netns,
    key: `net/ipv6/conf/${link}/${name}`,
    value,
    link,
  });
  return ipv6 ? [sysctl("disable_ipv6", "0"), sysctl("accept_ra", "0")] : [sysctl("disable_ipv6", "1")];
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
      objects.push(element("foreign", [family === 4 ? "ipv4" : "ipv6"], { data: { verdict: "drop" } }));
  }
  // Linux makes 0 of this when forwarding begins and 1 when it ends, whatever it was before.
  if (network.ipv4 && !answer.forwardedBefore[4])
    objects.push({ kind: "sysctl", netns: hostNetns, key: "net/ipv4/conf/all/accept_redirects", value: "0" });
  return objects;
}

function tableElements(
  network: DriverNetwork,
  options: BridgeOptions,
  { bridge }: BridgeAnswer,
): KernelObject[] {
  const elements = [element("ifs", [bridge])];
  if (options.icc) elements.push(element("icc", [bridge, bridge]));
  if (network.internal) elements.push(element("internal", [bridge]));
  else if (options.masquerade) {
    for (const { family, pool } of network.pools)
      elements.push(element(family === 4 ? "masq4" : "masq6", [pool]));
  }
  return elements;
}

function familiesOf(network: DriverNetwork): Family[] {
  return [...(network.ipv4 ? [4 as const] : []), ...(network.ipv6 ? [6 as const] : [])];
}

/** What the host must hold for an endpoint of a bridge network that is in a sandbox. */
export function planBridgeEndpoint(
  network: DriverNetwork,
  endpoint: DriverEndpoint,
  { netns, ifname }: DriverJoin,
  options: BridgeOptions,
  answer: BridgeAnswer,
): readonly Wanted[] {
  const name = hostLinkName(endpoint.id);
  const mac = endpoint.macAddress;
  const link: KernelObject = {
    kind: "link",
    netns: hostNetns,
    name,
    spec: { type: "veth", peer: { netns, name: ifname, mac } },
    mtu: options.mtu,
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
    { object: link },
    ...(answer.ipv6Available ? ipv6Sysctls(netns, ifname, network.ipv6) : []).map((object) => ({ object })),
    {
      object: {
        kind: "port",
        netns: hostNetns,
        link: name,
        master: answer.bridge,
        hairpin: false,
        isolated: !options.icc,
      },
    },
    ...endpoint.addresses.map((address) => ({ object: addressOn(netns, ifname, address) })),
    { object: { kind: "up", netns: hostNetns, link: name } },
    // The last of the endpoint's links: from here on its addresses answer.
    { object: { kind: "up", netns, link: ifname }, effects: announce },
  ];
}

function addressOn(netns: NetnsRef, link: string, address: InterfaceAddress): KernelObject {
  return { kind: "address", netns, link, address };
}
