import { type IpAddress, type Prefix, parseInterfaceAddress } from "../../src/core/index.ts";
import {
  hostNetns,
  type IpvlanSpec,
  type KernelObject,
  type LinkObject,
  type MacvlanSpec,
  type NetnsRef,
  type NftElementObject,
  type NftTableObject,
  type SysctlObject,
  tableName,
} from "../../src/kernel/index.ts";
import type { HeldObject, Wanted } from "../../src/plan/index.ts";

/** The folder of namespaces that the tests' reconcilers own. */
export const netnsFolder = "/run/test/netns";
/** The folder of files that they own. */
export const fileFolder = "/run/test/files";
/** A sandbox's namespace. */
export const sandbox: NetnsRef = `${netnsFolder}/one`;

export const netns = (path: NetnsRef = sandbox): KernelObject => ({ kind: "netns", netns: path });

export const bridge = (name = "br0", more: Partial<LinkObject> = {}): LinkObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "bridge" },
  ...more,
});

export const adopted = (name: string): LinkObject => bridge(name, { spec: { type: "adopted" } });

export const veth = (name = "veth0", peer = "eth0", place: NetnsRef = sandbox): LinkObject =>
  bridge(name, { spec: { type: "veth", peer: { netns: place, name: peer } } });

export const vlan = (id: number, parent = "eth9"): LinkObject =>
  bridge(`${parent}.${id}`, { spec: { type: "vlan", parent, id, protocol: "802.1Q" } });

export const macvlan = (mode: MacvlanSpec["mode"], parent = "eth9", place: NetnsRef = sandbox): LinkObject =>
  bridge("eth0", { netns: place, spec: { type: "macvlan", parent, mode } });

export const ipvlan = (
  mode: IpvlanSpec["mode"],
  flag: IpvlanSpec["flag"],
  parent = "eth9",
  place: NetnsRef = sandbox,
): LinkObject => bridge("eth0", { netns: place, spec: { type: "ipvlan", parent, mode, flag } });

export const address = (link: string, text: string, place: NetnsRef = hostNetns): KernelObject => ({
  kind: "address",
  netns: place,
  link,
  address: parseInterfaceAddress(text),
});

export const up = (link: string, place: NetnsRef = hostNetns): KernelObject => ({
  kind: "up",
  netns: place,
  link,
});

export const port = (link = "veth0", master = "br0"): KernelObject => ({
  kind: "port",
  netns: hostNetns,
  link,
  master,
  hairpin: false,
  isolated: false,
});

export const route = (link: string, gateway: string, destination = "0.0.0.0/0"): KernelObject => ({
  kind: "route",
  netns: sandbox,
  link,
  destination: destination as Prefix, // canonical as the callers write it
  gateway: gateway as IpAddress, // likewise
  metric: 0,
});

export const sysctl = (key: string, value: string, link?: string): SysctlObject => ({
  kind: "sysctl",
  netns: hostNetns,
  key,
  value,
  ...(link === undefined ? {} : { link }),
});

export const file = (name: string, content: string): KernelObject => ({
  kind: "file",
  path: `${fileFolder}/one/${name}`,
  content,
});

const setType = { key: ["ifname"] } as const;

export const table = (place: NetnsRef = hostNetns, comment = "first"): NftTableObject => ({
  kind: "nft-table",
  netns: place,
  definition: { family: "inet", table: tableName, comment, sets: { icc: setType }, chains: {} },
});

export const element = (name: string, place: NetnsRef = hostNetns): NftElementObject => ({
  kind: "nft-element",
  netns: place,
  family: "inet",
  table: tableName,
  set: "icc",
  type: setType,
  element: { key: [name] },
});

export const held = (id: string, more: Partial<HeldObject> = {}): HeldObject => ({
  kind: "held",
  type: "thing",
  id,
  spec: {},
  within: [],
  ...more,
});

/** Objects as a plan has them, without effects. */
export const wanted = (...objects: readonly Wanted["object"][]): readonly Wanted[] =>
  objects.map((object) => ({ object }));
