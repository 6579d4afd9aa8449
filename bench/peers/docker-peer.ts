import type { DockerEngine } from "../../test/peers/docker-engine.ts";
import { Dockerd } from "../../test/peers/dockerd.ts";
import type { Peer, PeerNetwork, PeerSandbox } from "./peer.ts";

/** Docker's daemon as its packages start it, in the network namespace at `netns`, asked by its HTTP API. */
export async function dockerPeer(netns: string): Promise<Peer> {
  const dockerd = await Dockerd.start(netns);
  try {
    await dockerd.importBusybox();
    return new DockerPeer(dockerd, await dockerd.engine.version());
  } catch (error) {
    await dockerd.stop();
    throw error;
  }
}

class DockerPeer implements Peer {
  readonly name = "dockerd";
  readonly version: string;
  readonly #dockerd: Dockerd;

  constructor(dockerd: Dockerd, version: string) {
    this.#dockerd = dockerd;
    this.version = version;
  }

  get #engine(): DockerEngine {
    return this.#dockerd.engine;
  }

  async createNetwork(name: string): Promise<PeerNetwork> {
    await this.#engine.createNetwork({ name });
    return { name, delete: () => this.#engine.deleteNetwork(name) };
  }

  async startSandbox(
    name: string,
    network: Pick<PeerNetwork, "name">,
    ports: readonly string[] = [],
  ): Promise<PeerSandbox> {
    const container = await this.#engine.run({
      name,
      network: network.name,
      ports: Object.fromEntries(ports.flatMap(singlePorts)),
    });
    return {
      netns: () => this.#dockerd.netnsOf(container),
      address: () => this.#engine.address(container, network.name),
      connect: async ({ name }) => {
        await this.#engine.connect(name, container);
        return { disconnect: () => this.#engine.disconnect(name, container) };
      },
      delete: () => this.#engine.remove(container),
    };
  }

  /** The API answers when all is done. */
  async settled(): Promise<void> {}

  close(): Promise<void> {
    return this.#dockerd.stop();
  }
}

/** The API knows no ranges: `8000-8001:80-81` is two container ports, each with its host port. */
function singlePorts(publication: string): readonly (readonly [string, string])[] {
  const [host = "", target = ""] = publication.split(":");
  const [[first, last], [to]] = [range(host), range(target)];
  return Array.from({ length: last - first + 1 }, (_, i) => [`${to + i}/tcp`, String(first + i)] as const);
}

function range(ports: string): readonly [number, number] {
  const [first = Number.NaN, last = first] = ports.split("-").map(Number);
  return [first, last];
}
