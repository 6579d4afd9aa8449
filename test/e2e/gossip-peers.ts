import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askAgent, type KeysAnswer } from "../../src/cli/gossip-control.ts";
import type { KeyOperation } from "../../src/gossip/index.ts";
import { weftProgram } from "../cli/weft-program.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";

/** How often failed members are tried again, so that a test need not wait for Serf's 30 s. */
const reconnectSeconds = 3;

/** An agent of either kind in a namespace of its own. */
export interface Peer {
  readonly name: string;
  readonly address: string;
  /** What it printed, for the message of a test that fails. */
  readonly said: () => string;
  /** Each member's state in this one's view, in Serf's words. */
  view(): Promise<Readonly<Record<string, string>>>;
  /** Starts it, and joins whoever is at the address. */
  start(join?: string): Promise<void>;
  /** kill -9: nobody is told. */
  kill(): Promise<void>;
  /** Lets it leave the cluster and end. */
  leave(): Promise<void>;
}

/** Serf's agents and weft's on one network that can be cut in two. */
export interface PeerCluster {
  readonly serf: readonly [SerfPeer, SerfPeer, SerfPeer];
  readonly weft: readonly [WeftPeer, WeftPeer, WeftPeer];
  readonly all: readonly Peer[];
  /** Cuts the network in two: the first one of Serf's and two of weft's, and the others. */
  cut(): void;
  heal(): void;
}

/** An agent of weft's, asked as its command line asks it. */
export interface WeftPeer extends Peer {
  keys(operation: KeyOperation, key?: string): Promise<KeysAnswer>;
}

/** An agent of Serf's, with its command line. */
export interface SerfPeer extends Peer {
  /** Runs `serf COMMAND` against this agent, and gives what it prints. Throws when it fails. */
  command(...args: readonly string[]): string;
}

const sides = { left: ["serf1", "weft1", "weft2"], right: ["serf2", "serf3", "weft3"] } as const;
const names = ["hub", ...sides.left, ...sides.right] as const;

/** Six namespaces on two bridges that are joined by a cable, ready for agents that encrypt with `key`. */
export async function withPeers(key: string, work: (cluster: PeerCluster) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-peers-"));
  try {
    await withNetns(names, async (spaces) => {
      wire(spaces.hub, spaces);
      const init = (name: (typeof names)[number], index: number) => ({
        name,
        space: spaces[name],
        address: addressOf(index),
        folder,
        key,
      });
      const serf = [
        serfPeer(init("serf1", 1)),
        serfPeer(init("serf2", 4)),
        serfPeer(init("serf3", 5)),
      ] as const;
      const weft = [
        weftPeer(init("weft1", 2)),
        weftPeer(init("weft2", 3)),
        weftPeer(init("weft3", 6)),
      ] as const;
      const cable = (state: "up" | "down") => spaces.hub.exec("ip", "link", "set", "cable0", state);
      const all = [...serf, ...weft];
      try {
        await work({ serf, weft, all, cut: () => cable("down"), heal: () => cable("up") });
      } catch (error) {
        for (const peer of all)
          process.stderr.write(`--- ${peer.name}\n${peer.said().replaceAll(/.*Accepted client.*\n/g, "")}\n`);
        throw error;
      } finally {
        for (const peer of all) await peer.kill();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks until it is so; throws after `patience` ms, with what `found` tells last. */
export async function within(
  patience: number,
  what: string,
  isSo: () => Promise<boolean>,
  found: () => Promise<string>,
) {
  const deadline = Date.now() + patience;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not so after ${patience} ms: ${what}: ${await found()}`);
    await delay(100);
  }
}

function addressOf(index: number): string {
  return `10.77.0.${index}`;
}

function wire(hub: TestNetns, spaces: Readonly<Record<string, TestNetns>>): void {
  hub.exec("ip", "link", "add", "left", "type", "bridge");
  hub.exec("ip", "link", "add", "right", "type", "bridge");
  hub.exec("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1");
  hub.exec("ip", "link", "set", "cable0", "master", "left", "up");
  hub.exec("ip", "link", "set", "cable1", "master", "right", "up");
  for (const bridge of ["left", "right"] as const) {
    hub.exec("ip", "link", "set", bridge, "up");
    for (const name of sides[bridge]) {
      const space = spaces[name];
      if (space === undefined) throw new Error(`no namespace ${name}`);
      const address = addressOf([...sides.left, ...sides.right].indexOf(name) + 1);
      hub.exec("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", space.path);
      hub.exec("ip", "link", "set", name, "master", bridge, "up");
      space.exec("ip", "address", "add", `${address}/24`, "dev", "eth0");
      space.exec("ip", "link", "set", "eth0", "up");
      space.exec("ip", "link", "set", "lo", "up");
    }
  }
}

interface PeerInit {
  readonly name: string;
  readonly space: TestNetns;
  readonly address: string;
  readonly folder: string;
  readonly key: string;
}

/** What both kinds share: a process that is started again and again. */
class Agent {
  readonly #init: PeerInit;
  #child: ChildProcess | undefined;
  #said = "";

  constructor(init: PeerInit) {
    this.#init = init;
  }

  said(): string {
    return this.#said;
  }

  start(command: string, args: readonly string[]): void {
    const child = this.#init.space.start(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (text: Buffer) => {
        this.#said += text.toString();
      });
    this.#child = child;
  }

  get hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }

  /** Waits until it answers. */
  async ready(answers: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await answers();
        return;
      } catch (error) {
        if (tries > 200 || this.hasEnded)
          throw new Error(`${this.#init.name} did not start: ${error}: ${this.#said}`);
        await delay(100);
      }
    }
  }
}

function weftPeer(init: PeerInit): WeftPeer {
  const { name, address, folder, key } = init;
  const socket = path.join(folder, `${name}.sock`);
  const agent = new Agent(init);
  const members = () => askAgent<"members">(socket, { call: "members" });
  return {
    name,
    address,
    said: () => agent.said(),
    view: async () => Object.fromEntries((await members()).map((one) => [one.Name, one.Status])),
    start: async (join) => {
      const args = ["--bind", `${address}:7946`, "--name", name, "--encrypt", key, "--socket", socket];
      const joins = join === undefined ? [] : ["--join", `${join}:7946`];
      const reconnect = ["--reconnect-interval", String(reconnectSeconds)];
      agent.start(process.execPath, [weftProgram, "gossip", "agent", ...args, ...joins, ...reconnect]);
      await agent.ready(members);
    },
    kill: () => agent.end("SIGKILL"),
    leave: () => agent.end("SIGINT"),
    keys: (operation, key = "") => askAgent<"keys">(socket, { call: "keys", operation, key }),
  };
}

function serfPeer(init: PeerInit): SerfPeer {
  const { name, address, folder, key, space } = init;
  const agent = new Agent(init);
  const config = path.join(folder, `${name}.json`);
  const command = (...args: readonly string[]) => space.exec("serf", ...args);
  const view = async () => {
    const { members } = JSON.parse(command("members", "-format=json")) as {
      members: readonly { name: string; status: string }[];
    };
    return Object.fromEntries(members.map((one) => [one.name, one.status]));
  };
  return {
    name,
    address,
    said: () => agent.said(),
    command,
    view,
    start: async (join) => {
      writeFileSync(config, JSON.stringify({ reconnect_interval: `${reconnectSeconds}s` }));
      const args = [`-node=${name}`, `-bind=${address}:7946`, `-encrypt=${key}`, `-config-file=${config}`];
      agent.start("serf", ["agent", ...args, ...(join === undefined ? [] : [`-join=${join}:7946`])]);
      await agent.ready(view);
    },
    kill: () => agent.end("SIGKILL"),
    leave: () => agent.end("SIGINT"),
  };
}
