import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, type NewSandbox, type Sandbox } from "../../src/index.ts";
import { unmountPrivateFolder } from "../../src/kernel/index.ts";
import { repositoryFolder } from "../../test/fixture-file.ts";
import type { Peer, PeerNetwork, PeerSandbox } from "./peer.ts";

/** weft on a disk, as a program has it that opens a Controller for the network namespace at `netns`. */
export async function weftPeer(netns: string): Promise<Peer> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "weft-bench-")));
  const root = join(folder, "root");
  const tidy = () => {
    unmountPrivateFolder(join(root, "run"));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const pools = [{ base: "10.0.0.0/8", size: 24 }];
    const controller = await Controller.open({ root, hostNetns: netns, defaultAddressPools: pools });
    return new WeftPeer(controller, tidy);
  } catch (error) {
    tidy();
    throw error;
  }
}

class WeftPeer implements Peer {
  readonly name = "weft";
  readonly version = versionOfPackage();
  readonly #controller: Controller;
  readonly #tidy: () => void;

  constructor(controller: Controller, tidy: () => void) {
    this.#controller = controller;
    this.#tidy = tidy;
  }

  async createNetwork(name: string): Promise<PeerNetwork> {
    const network = await this.#controller.createNetwork("bridge", name);
    return { name, delete: () => network.delete() };
  }

  async startSandbox(
    name: string,
    network: Pick<PeerNetwork, "name">,
    ports: readonly string[] = [],
  ): Promise<PeerSandbox> {
    const wanted: NewSandbox = {
      endpoints: [{ network: this.#controller.network(network.name) }],
      ...(ports.length === 0 ? {} : { ports }),
    };
    return sandboxOf(this.#controller, await this.#controller.createSandbox(name, wanted));
  }

  settled(): Promise<void> {
    return this.#controller.idle();
  }

  async close(): Promise<void> {
    try {
      await this.#controller.purge();
    } finally {
      this.#tidy();
    }
  }
}

function sandboxOf(controller: Controller, sandbox: Sandbox): PeerSandbox {
  return {
    netns: async () => sandbox.key,
    address: async () => {
      const { ipv4Address = "" } = (await sandbox.endpoints()[0]?.info()) ?? {};
      return ipv4Address.replace(/\/.*/, "");
    },
    connect: async (network) => {
      const endpoint = await sandbox.connect(controller.network(network.name));
      return { disconnect: () => endpoint.delete({ force: true }) };
    },
    delete: () => sandbox.delete(),
  };
}

function versionOfPackage(): string {
  const text = readFileSync(join(repositoryFolder(), "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version; // npm's format
}
