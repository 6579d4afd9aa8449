import { type IpAddress, type Prefix, parseInterfaceAddress, parseMac } from "../../src/core/index.ts";
import {
  hostNetns,
  type KernelObject,
  type LinkObject,
  type NftElementObject,
  type NftTableObject,
  tableName,
} from "../../src/kernel/index.ts";
import { nftables } from "../../src/kernel/netlink/index.ts";

export const bridge = (name: string, more: Partial<LinkObject> = {}): LinkObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "bridge" },
  ...more,
});
export const up = (netns: string, link: string): KernelObject => ({ kind: "up", netns, link });
export const address = (netns: string, link: string, text: string): KernelObject => ({
  kind: "address",
  netns,
  link,
  address: parseInterfaceAddress(text),
});
export const route = (netns: string, link: string, destination: string, gateway?: string): KernelObject => ({
  kind: "route",
  netns,
  link,
  destination: destination as Prefix, // canonical as written below
  gateway: gateway as IpAddress | undefined, // likewise
  metric: 0,
});

const sets = {
  ifs: { key: ["ifname"] },
  pools: { key: ["ipv4_addr"], interval: true },
  ports: { key: ["ipv4_addr", "inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
  foreign: { key: ["nf_proto"], data: "verdict" },
} as const;

export const table = (netns: string, comment: string): NftTableObject => ({
  kind: "nft-table",
  netns,
  definition: { family: "inet", table: tableName, comment, sets, chains: {} },
});
/** A table of the host whose chain `user` is kept for others; it lets through what the chain does not judge. */
export const sharedTable = (comment: string): NftTableObject => ({
  kind: "nft-table",
  netns: hostNetns,
  definition: {
    family: "inet",
    table: tableName,
    sets: { ifs: sets.ifs, foreign: sets.foreign },
    chains: {
      forward: {
        hook: { type: "filter", hook: "forward", priority: 0, policy: "accept" },
        rules: [
          nftables.rule("inet", [nftables.jump("user")]),
          nftables.rule("inet", [nftables.jump("inner")], comment),
        ],
      },
      inner: { rules: [nftables.rule("inet", [nftables.accept], comment)] },
      user: { rules: [], kept: true },
    },
  },
});

export const acceptRule = (family: "ip" | "ip6" | "inet", table: string, chain: string): KernelObject => ({
  kind: "accept-rule",
  netns: hostNetns,
  family,
  table,
  chain,
});

export const element = (
  netns: string,
  set: keyof typeof sets,
  value: NftElementObject["element"],
): NftElementObject => ({
  kind: "nft-element",
  netns,
  family: "inet",
  table: tableName,
  set,
  type: sets[set],
  element: value,
});

/** One object of every kind, in the order in which they can be made. */
export function everything({
  netnsFolder,
  fileFolder,
}: {
  readonly netnsFolder: string;
  readonly fileFolder: string;
}): readonly KernelObject[] {
  const box = `${netnsFolder}/box`;
  const mac = parseMac("02:42:0a:00:00:02");
  const spec = { type: "veth", peer: { netns: box, name: "eth0", mac } } as const;
  return [
    { kind: "netns", netns: box },
    { kind: "file", path: `${fileFolder}/box/hosts`, content: "127.0.0.1 localhost\n" },
    bridge("br0", { mtu: 1400, mac: parseMac("02:00:00:00:00:01"), alias: "network one" }),
    { kind: "link", netns: hostNetns, name: "veth0", spec, mtu: 1400 },
    { kind: "sysctl", netns: hostNetns, key: "net/ipv4/ip_forward", value: "1" },
    { kind: "sysctl", netns: box, key: "net/ipv6/conf/eth0/accept_ra", value: "0", link: "eth0" },
    { kind: "port", netns: hostNetns, link: "veth0", master: "br0", hairpin: true, isolated: false },
    address(hostNetns, "br0", "10.0.0.1/24"),
    address(hostNetns, "br0", "fd00::1/64"),
    address(box, "eth0", "10.0.0.2/24"),
    address(box, "eth0", "fd00::2/64"),
    up(hostNetns, "br0"),
    up(hostNetns, "veth0"),
    up(box, "lo"),
    up(box, "eth0"),
    route(box, "eth0", "0.0.0.0/0", "10.0.0.1"),
    route(box, "eth0", "::/0", "fd00::1"),
    route(box, "eth0", "10.9.0.0/16"),
    route(hostNetns, "br0", "fd09::/64"),
    table(hostNetns, "first"),
    element(hostNetns, "ifs", { key: ["br0"] }),
    element(hostNetns, "pools", { key: ["10.0.0.0/24"] }),
    element(hostNetns, "pools", { key: ["10.0.1.0/24"] }),
    element(hostNetns, "pools", { key: ["10.2.0.1/32"] }),
    element(hostNetns, "pools", { key: [{ from: "10.3.0.1", to: "10.3.0.9" }] }),
    element(hostNetns, "ports", { key: ["192.0.2.1", "tcp", 80], data: ["10.0.0.2", 8080] }),
    element(hostNetns, "foreign", { key: ["ipv4"], data: { verdict: "drop" } }),
    table(box, "in the box"),
  ];
}
