import type { ForwardingSpec } from "../../src/cnm/held-names.ts";
import type { PortsSpec } from "../../src/cnm/held-ports.ts";
import type { EndpointRecord, NetworkRecord, SandboxRecord } from "../../src/cnm/index.ts";
import { type Id, shortId } from "../../src/core/index.ts";
import { hostLinkName } from "../../src/drivers/bridge/plan.ts";
import { type Found, hostNetns, type KernelObject, type NetnsRef } from "../../src/kernel/index.ts";
import type { HeldObject, JournalEntry } from "../../src/plan/index.ts";
import { formatHostPort, formatSocketAddress } from "../../src/ports/index.ts";
import type { World } from "./world.ts";

/** The sysctls of the host that weft may change. */
const watchedSysctls = [
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/accept_redirects",
  "net/ipv6/conf/all/forwarding",
];

/** Names for people in place of ids, MAC addresses and paths; it remembers those of what is gone. */
export class StableNames {
  readonly #names = new Map<string, string>();

  /** Learns the names of everything that is recorded. */
  learn(world: World): void {
    for (const { id, name } of records<NetworkRecord>(world, "networks/")) {
      this.#names.set(`br-${shortId(id)}`, `br-${name}`);
      this.#learnId(id, name);
    }
    for (const { id, name, macAddress } of records<EndpointRecord>(world, "endpoints/")) {
      this.#names.set(hostLinkName(id), `veth-${name}`);
      if (macAddress !== undefined) this.#names.set(macAddress, `mac-${name}`);
      this.#learnId(id, name);
    }
    for (const { id, containerId } of records<SandboxRecord>(world, "sandboxes/")) {
      this.#names.set(world.paths.netns(id), containerId);
      this.#learnId(id, containerId);
    }
  }

  #learnId(id: Id, name: string): void {
    this.#names.set(id, name);
    this.#names.set(shortId(id), `id-${name}`);
  }

  /** `text` with names for people. */
  in(text: string): string {
    let named = text;
    const longestFirst = [...this.#names].sort(([a], [b]) => b.length - a.length);
    for (const [real, name] of longestFirst) named = named.replaceAll(real, name);
    return named.replaceAll(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "another-mac");
  }

  /** What `name` really is: the reverse. */
  real(name: string): string {
    // The latest of that name is the one that is there.
    return [...this.#names].findLast(([, known]) => known === name)?.[0] ?? name;
  }
}

/** Every entry of a folder of the store. */
export function records<R>(world: World, folder: string): readonly R[] {
  return [...world.bare.store.range(folder)].map(({ value }) => value as R); // the folder says what it is
}

/** All that a world holds, a line each, sorted: kernel, records, held. */
export async function tablesOf(world: World, names = new StableNames()): Promise<readonly string[]> {
  names.learn(world);
  const lines = [...(await kernelLines(world)), ...recordLines(world), ...heldLines(world)];
  return lines.map((line) => names.in(line)).sort();
}

/** What the kernel holds, a line each. */
export async function kernelLines(world: World): Promise<readonly string[]> {
  const { netnsFolder, fileFolder } = world.paths;
  const sysctl = (key: string): KernelObject => ({ kind: "sysctl", netns: hostNetns, key, value: "" });
  const found = await world.bare.kernel.read({
    namespaces: [hostNetns],
    netnsFolder,
    fileFolder,
    lookUp: watchedSysctls.map(sysctl),
  });
  return found.flatMap((one) => lineOf(one.object, found, world));
}

function lineOf(object: KernelObject, found: readonly Found[], world: World): string[] {
  switch (object.kind) {
    case "netns":
      return [`netns ${object.netns}`];
    case "file":
      return [`file ${fileLine(object.path, object.content, world)}`];
    case "link":
      return linkLine(object, found);
    case "address":
      return object.address.startsWith("fe80:") || object.link === "lo"
        ? [] // the kernel's own
        : [`address ${at(object.netns)}${object.link} ${object.address}`];
    case "route": {
      const by = object.gateway === undefined ? "" : ` by ${object.gateway}`;
      return [`route ${at(object.netns)}${object.destination}${by} on ${object.link}`];
    }
    case "nft-table":
      return [`nft ${at(object.netns)}table ${object.definition.family} ${object.definition.table}`];
    case "nft-element": {
      const { key, data } = object.element;
      const value = data === undefined ? "" : ` -> ${JSON.stringify(data)}`;
      return [`nft ${at(object.netns)}${object.set} ${key === "*" ? key : key.join(" . ")}${value}`];
    }
    case "sysctl":
      return [`sysctl ${object.key} = ${object.value}`];
    default:
      return []; // told with their link
  }
}

function at(netns: NetnsRef): string {
  return netns === hostNetns ? "" : `${netns} `;
}

function linkLine(link: KernelObject & { readonly kind: "link" }, found: readonly Found[]): string[] {
  const { netns, name, spec } = link;
  if (name === "lo" || isFarEnd(netns, name, found)) return [];
  const peer = spec.type === "veth" ? spec.peer : undefined;
  const ups = [isUp(netns, name, found), peer === undefined || isUp(peer.netns, peer.name, found)];
  const words = [
    kindWords(link),
    ups.every((up) => up) ? "up" : "down",
    `mtu ${link.mtu ?? 1500}`,
    ...portOf(netns, name, found),
    ...(link.alias === undefined ? [] : [JSON.stringify(link.alias)]),
  ];
  return [`link ${at(netns)}${name} ${words.join(", ")}`];
}

function kindWords({ spec, mac }: KernelObject & { readonly kind: "link" }): string {
  switch (spec.type) {
    case "moved":
      return "adopted";
    case "veth":
      return `veth to ${spec.peer.netns} ${spec.peer.name} ${spec.peer.mac}`;
    case "vlan":
      return `vlan ${spec.id} on ${spec.parent}`;
    case "macvlan":
      // In mode passthru it has its parent's MAC address, which differs from run to run.
      return `macvlan ${spec.mode} on ${spec.parent}${spec.mode === "passthru" ? "" : ` ${mac}`}`;
    case "ipvlan":
      return `ipvlan ${spec.mode} ${spec.flag} on ${spec.parent}`;
    default:
      return spec.type;
  }
}

function isUp(netns: NetnsRef, name: string, found: readonly Found[]): boolean {
  return found.some(({ object }) => object.kind === "up" && object.netns === netns && object.link === name);
}

function portOf(netns: NetnsRef, name: string, found: readonly Found[]): string[] {
  return found.flatMap(({ object }) =>
    object.kind === "port" && object.netns === netns && object.link === name
      ? [`in ${object.master}${object.hairpin ? " hairpin" : ""}${object.isolated ? " isolated" : ""}`]
      : [],
  );
}

function isFarEnd(netns: NetnsRef, name: string, found: readonly Found[]): boolean {
  return found.some(
    ({ object }) =>
      object.kind === "link" &&
      object.spec.type === "veth" &&
      object.spec.peer.netns === netns &&
      object.spec.peer.name === name,
  );
}

/** A file on one line, without what every hosts file begins with. */
function fileLine(path: string, content: string, world: World): string {
  const constant = /^(127\.0\.0\.1|::1|fe00::|ff0[02]::\d?|# Generated by weft\.)(\t.*)?$/;
  const lines = content.split("\n").filter((line) => line !== "" && !constant.test(line));
  const short = path.slice(world.paths.fileFolder.length + 1);
  return [short, ...lines.map((line) => line.replaceAll("\t", " "))].join(" | ");
}

function recordLines(world: World): string[] {
  return [
    ...records<NetworkRecord>(world, "networks/").map(networkLine),
    ...records<EndpointRecord>(world, "endpoints/").map(endpointLine),
    ...records<SandboxRecord>(world, "sandboxes/").map(({ containerId, state, bindings }) =>
      [`record sandbox ${containerId} ${state}`, ...bindings.map(formatHostPort)].join(", "),
    ),
    ...[...world.bare.store.range("ipam/")].map(({ key, value }) => {
      const { owner, kind } = value as { owner: string; kind: string }; // as src/ipam/ledger.ts writes it
      return `lease ${key.slice(key.lastIndexOf("/") + 1)} ${kind} of ${owner}`;
    }),
    ...records<JournalEntry>(world, "journal/").map(({ object, former }) => {
      const what = object.kind === "sysctl" ? object.key : objectName(object);
      const was = former === null ? "nothing" : former.kind === "sysctl" ? former.value : "there";
      return `journal ${what} was ${was}`;
    }),
  ];
}

function objectName(object: KernelObject): string {
  if (object.kind === "address") return `address ${object.link} ${object.address}`;
  if (object.kind === "port") return `port ${object.link} in ${object.master}`;
  return object.kind === "up" ? `up ${object.link}` : object.kind;
}

function networkLine({ name, driver, state, pools, configOnly, configFrom }: NetworkRecord): string {
  const subnets = pools.map(({ pool, gateway }) => `${pool} gateway ${gateway ?? "none"}`);
  const config = [
    ...(configOnly ? ["settings only"] : []),
    ...(configFrom === undefined ? [] : [`from ${configFrom}`]),
  ];
  return [`record network ${name} ${driver} ${state}`, ...config, ...subnets].join(", ");
}

function endpointLine({ name, network, state, addresses, join }: EndpointRecord): string {
  const where = join === undefined ? [] : [`in ${join.sandbox} as ${join.ifname || "nothing"}`];
  const leaving = join?.leaving === true ? ["leaving"] : [];
  const own = addresses.map(({ address }) => address);
  return [`record endpoint ${network} ${name} ${state}`, ...own, ...where, ...leaving].join(", ");
}

function heldLines(world: World): string[] {
  return world.held.all.map((object) => `held ${heldLine(object)}`);
}

function heldLine({ type, id, spec }: HeldObject): string {
  switch (type) {
    case "dns-name": {
      // held-names.ts writes these.
      const { network, names, addresses } = spec as {
        network: string;
        names: string[];
        addresses: string[];
      };
      return `names ${names.join(" ")} in ${network}: ${addresses.join(" ")}`;
    }
    case "dns-view": {
      const { networks } = spec as { networks: { name: string }[] };
      return `view of ${id}: ${networks.map(({ name }) => name).join(" ") || "nothing"}`;
    }
    case "dns-forward": {
      const { servers } = spec as ForwardingSpec; // as above
      const list = servers.map(
        ({ address, netns }) => `${address} from ${netns === hostNetns ? "the host" : "inside"}`,
      );
      return `upstreams of ${id}: ${list.join(" ") || "none"}`;
    }
    case "host-ports": {
      const { forwards } = spec as PortsSpec; // held-ports.ts writes it
      return `ports of ${id}: ${forwards.map((one) => `${formatHostPort(one)} to ${formatSocketAddress(one.target, one.port)}`).join(" ")}`;
    }
    default:
      return `listener of ${id}`;
  }
}
