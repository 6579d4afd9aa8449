import { writeFileSync } from "node:fs";
import { parseAddress, parseInterfaceAddress } from "../../src/core/index.ts";
import {
  closeFd,
  hostNetns,
  type KernelObject,
  linkGroup,
  openUdpAndTcp,
  tableName,
} from "../../src/kernel/index.ts";
import { listen } from "../../src/kernel/syscalls.ts";
import type { HostPort, MemoryPortSockets } from "../../src/ports/index.ts";
import type { TestNetns } from "../netns-fixture.ts";
import type { TwinFacts, TwinKernel } from "./twin-host.ts";

/** Changes the host behind weft's back, as an administrator or another program would. */
export interface HostHand {
  addBridge(name: string): void;
  /** Two links that are no bridges, `name` and `name-far`. */
  addVeth(name: string): void;
  /** A bridge with weft's mark that no record speaks of. */
  addMarkedBridge(name: string): void;
  /** A link that is up, with a far end `name-far` that is up too: what the host is on a wire by. */
  addUplink(name: string): void;
  /** A VLAN sub-interface of a person's own. */
  addVlan(name: string, parent: string, id: number): void;
  /** Gives a link another MTU, in bytes, as an administrator does; Linux takes from links on it what they have more. */
  setMtu(name: string, mtu: number): void;
  /** Makes a link a port of a bridge, or of none. */
  enslave(name: string, bridge: string | undefined): void;
  /** Gives a link another name; what is built on it goes on working. */
  renameLink(name: string, to: string): void;
  deleteLink(name: string): void;
  hasLink(name: string): boolean;
  addAddress(link: string, address: string): void;
  bringUp(link: string): void;
  /** Empties all of nftables in the host's namespace. */
  flushNftables(): void;
  setSysctl(key: string, value: string): void;
  writeFile(path: string, content: string): void;
  /** Another program listens on a TCP port of 0.0.0.0. */
  takePort(port: number): void;
  giveUpPort(port: number): void;
}

/** A hand on the twin. */
export class TwinHand implements HostHand {
  readonly #kernel: TwinKernel;
  readonly #facts: TwinFacts;

  readonly #sockets: MemoryPortSockets;

  constructor(kernel: TwinKernel, facts: TwinFacts, sockets: MemoryPortSockets) {
    this.#kernel = kernel;
    this.#facts = facts;
    this.#sockets = sockets;
  }

  addBridge(name: string): void {
    this.#kernel.addForeign([{ ...link(name), spec: { type: "bridge" } }]);
  }

  addVeth(name: string): void {
    for (const end of [name, `${name}-far`]) {
      this.#facts.links.set(end, "veth");
      this.#kernel.addForeign([link(end)]);
    }
  }

  addUplink(name: string): void {
    this.addVeth(name);
    this.#kernel.addForeign(
      [name, `${name}-far`].map((end) => ({ kind: "up", netns: hostNetns, link: end })),
    );
  }

  addVlan(name: string, parent: string, id: number): void {
    this.#facts.links.set(name, "vlan");
    this.#facts.vlans.set(name, { parent, id, protocol: "802.1Q" });
    this.#kernel.addForeign([link(name), { kind: "up", netns: hostNetns, link: name }]);
  }

  setMtu(name: string, mtu: number): void {
    for (const { object } of this.#kernel.all()) {
      if (object.kind !== "link") continue;
      if (object.netns === hostNetns && object.name === name) this.#kernel.addForeign([{ ...object, mtu }]);
      const isOn = "parent" in object.spec && object.spec.parent === name;
      if (!isOn || (object.mtu ?? 1500) <= mtu) continue;
      this.#kernel.addForeign([{ ...object, mtu }]);
      if (object.netns === hostNetns) this.setMtu(object.name, mtu);
    }
  }

  enslave(name: string, bridge: string | undefined): void {
    const port = { kind: "port", netns: hostNetns, link: name, hairpin: false, isolated: false } as const;
    if (bridge === undefined) this.#kernel.removeForeign([{ ...port, master: "" }]);
    else this.#kernel.addForeign([{ ...port, master: bridge }]);
  }

  addMarkedBridge(name: string): void {
    // What the twin is given by an operation carries the mark.
    void this.#kernel.apply([{ op: "create", object: { ...link(name), spec: { type: "bridge" } } }]);
  }

  renameLink(name: string, to: string): void {
    this.#facts.links.set(to, this.#facts.links.get(name) ?? "device");
    const up = { kind: "up", netns: hostNetns } as const;
    const there = this.#kernel.hostLink(name) ?? link(name);
    this.#kernel.addForeign([
      { ...there, ...link(to) },
      { ...up, link: to },
    ]);
    for (const { object } of this.#kernel.all())
      if (object.kind === "link" && "parent" in object.spec && object.spec.parent === name)
        this.#kernel.addForeign([{ ...object, spec: { ...object.spec, parent: to } }]);
    this.#kernel.removeForeign([link(name)]);
  }

  deleteLink(name: string): void {
    this.#kernel.removeForeign([link(name), link(`${name}-far`)]);
  }

  hasLink(name: string): boolean {
    return this.#kernel.hostLink(name) !== undefined;
  }

  addAddress(name: string, address: string): void {
    this.#kernel.addForeign([
      { kind: "address", netns: hostNetns, link: name, address: parseInterfaceAddress(address) },
    ]);
  }

  bringUp(name: string): void {
    this.#kernel.addForeign([{ kind: "up", netns: hostNetns, link: name }]);
  }

  flushNftables(): void {
    const tables = this.#kernel.all().flatMap(({ object }) => (object.kind === "nft-table" ? [object] : []));
    this.#kernel.removeForeign(
      tables.filter(({ netns, definition }) => netns === hostNetns && definition.table === tableName),
    );
  }

  setSysctl(key: string, value: string): void {
    this.#kernel.addForeign([{ kind: "sysctl", netns: hostNetns, key, value }]);
  }

  takePort(port: number): void {
    this.#sockets.othersTake(everywhere(port));
  }

  giveUpPort(port: number): void {
    this.#sockets.othersGiveUp(everywhere(port));
  }

  writeFile(path: string, content: string): void {
    const there = this.#kernel.all().find(({ object }) => object.kind === "file" && object.path === path);
    if (there?.object.kind !== "file") throw new Error(`no file ${path}`);
    this.#kernel.removeForeign([there.object]);
    void this.#kernel.apply([{ op: "create", object: { ...there.object, content } }]);
  }
}

function link(name: string): KernelObject & { readonly kind: "link" } {
  return { kind: "link", netns: hostNetns, name, spec: { type: "adopted" } };
}

function everywhere(hostPort: number): HostPort {
  return { protocol: "tcp", hostAddress: parseAddress("0.0.0.0"), hostPort };
}

/** A hand on a namespace of this machine's kernel, by the usual tools. */
export class LinuxHand implements HostHand {
  readonly #netns: TestNetns;
  readonly #taken = new Map<number, { readonly udpFd: number; readonly tcpFd: number }>();

  constructor(netns: TestNetns) {
    this.#netns = netns;
  }

  addBridge(name: string): void {
    this.#netns.exec("ip", "link", "add", name, "type", "bridge");
  }

  addVeth(name: string): void {
    this.#netns.exec("ip", "link", "add", name, "type", "veth", "peer", "name", `${name}-far`);
  }

  addUplink(name: string): void {
    this.addVeth(name);
    for (const end of [name, `${name}-far`]) this.#netns.exec("ip", "link", "set", end, "up");
  }

  addVlan(name: string, parent: string, id: number): void {
    const kind = ["type", "vlan", "id", String(id)];
    this.#netns.exec("ip", "link", "add", "link", parent, "name", name, ...kind);
    this.#netns.exec("ip", "link", "set", name, "up");
  }

  setMtu(name: string, mtu: number): void {
    this.#netns.exec("ip", "link", "set", name, "mtu", String(mtu));
  }

  enslave(name: string, bridge: string | undefined): void {
    const place = bridge === undefined ? ["nomaster"] : ["master", bridge];
    this.#netns.exec("ip", "link", "set", name, ...place);
  }

  addMarkedBridge(name: string): void {
    this.#netns.exec("ip", "link", "add", name, "group", String(linkGroup), "type", "bridge");
  }

  renameLink(name: string, to: string): void {
    // Not every kernel renames a link that is up (Linux 6.2).
    for (const change of [["down"], ["name", to]]) this.#netns.exec("ip", "link", "set", name, ...change);
    this.#netns.exec("ip", "link", "set", to, "up");
  }

  deleteLink(name: string): void {
    this.#netns.exec("ip", "link", "delete", name);
  }

  hasLink(name: string): boolean {
    const lines = this.#netns.exec("ip", "-o", "link").split("\n");
    // `2: a@b: <...>` for one end of a pair.
    return lines.some((line) => line.split(/[ @:]+/)[1] === name);
  }

  bringUp(name: string): void {
    this.#netns.exec("ip", "link", "set", name, "up");
  }

  addAddress(name: string, address: string): void {
    this.#netns.exec("ip", "address", "add", address, "dev", name);
  }

  flushNftables(): void {
    this.#netns.exec("nft", "flush", "ruleset");
  }

  setSysctl(key: string, value: string): void {
    this.#netns.run(() => writeFileSync(`/proc/sys/${key}`, value));
  }

  writeFile(path: string, content: string): void {
    writeFileSync(path, content);
  }

  takePort(port: number): void {
    const sockets = openUdpAndTcp(this.#netns.path, [0, 0, 0, 0], port);
    this.#taken.set(port, sockets);
    listen(sockets.tcpFd, 1);
  }

  giveUpPort(port: number): void {
    const taken = this.#taken.get(port);
    this.#taken.delete(port);
    for (const fd of [taken?.udpFd, taken?.tcpFd]) if (fd !== undefined) closeFd(fd);
  }
}
