import type { RunningProgram } from "../../test/peers/programs.ts";
import { type LanNamespaces, layRoute, layWire, type Path } from "./lan.ts";
import type { Host } from "./peer.ts";
import { type BesideRow, type Contestant, Samples } from "./row.ts";
import { requestRate, startServers, streamPort, streamRate, webPort } from "./traffic.ts";

/** The way of one contestant's packets. */
interface Ways {
  /** From one container to another on one bridge; for the kernel, over a veth pair. */
  readonly direct: Path;
  /** From a neighbour host through a published port; for the kernel, over a host that routes. */
  readonly published: Path;
}

/** What packets cost, through each contestant in turn, after one round that is not counted. */
export class Traffic {
  readonly #ways = new Map<Contestant, Ways>();
  readonly #servers: RunningProgram[] = [];

  /** The kernel's share: the same hops without anybody's rules. */
  async addKernel(namespaces: LanNamespaces): Promise<void> {
    this.#ways.set("kernel", { direct: layWire(namespaces), published: layRoute(namespaces) });
    this.#servers.push(...(await startServers(namespaces.right.path)));
  }

  /** A server and a client on a network of the peer. */
  async addHost(who: Contestant, { peer, path }: Host): Promise<void> {
    const network = await peer.createNetwork("traffic");
    const ports = [streamPort, webPort].map((port) => `${port}:${port}`);
    const server = await peer.startSandbox("traffic-server", network, ports);
    const neighbour = await peer.startSandbox("traffic-client", network);
    this.#servers.push(...(await startServers(await server.netns())));
    this.#ways.set(who, {
      direct: { client: await neighbour.netns(), address: await server.address() },
      published: path,
    });
  }

  async streamRows(rounds: number): Promise<readonly BesideRow[]> {
    const direct = new Samples("one TCP stream, container to container on one bridge", "Gbit/s");
    const published = new Samples("one TCP stream, neighbour through a published port", "Gbit/s");
    await this.#byTurns(rounds, direct, (ways) => streamRate(ways.direct));
    await this.#byTurns(rounds, published, (ways) => streamRate(ways.published));
    return [direct.row(), published.row()];
  }

  async requestRows(rounds: number): Promise<readonly BesideRow[]> {
    const requests = new Samples("requests through a published port, 32 connections", "a second");
    const fresh = new Samples("connections through a published port, 32 at a time", "a second");
    await this.#byTurns(rounds, requests, (ways) => requestRate(ways.published, true));
    await this.#byTurns(rounds, fresh, (ways) => requestRate(ways.published, false));
    return [requests.row(), fresh.row()];
  }

  /** Every second round goes backwards, so that nobody always comes after the same one. */
  async #byTurns(rounds: number, samples: Samples, measure: (ways: Ways) => Promise<number>): Promise<void> {
    const order = [...this.#ways];
    for (let round = 0; round <= rounds; round++) {
      for (const [who, ways] of order) {
        const rate = await measure(ways);
        if (round > 0) samples.add(who, rate);
      }
      order.reverse();
    }
  }

  /** Ends the servers. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}
