import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { until } from "../e2e/until.ts";
import { runProgram, spawnIn } from "../peers/programs.ts";
import type { Place } from "../place.ts";
import { bindUdp, closed } from "../ports/netns-sockets.ts";
import { type ChainVisit, isDropped, TraceLines } from "./trace-lines.ts";

/** The tracer's own table, of two families, in each namespace that it watches. */
export const tracerTable = "path-trace";

/** Its chains come before and after everybody else's; the hook is the first word of their names. */
const chains = [
  ...["prerouting", "output"].map((hook) => ({ hook, place: "first", priority: -450 })),
  ...["prerouting", "input", "forward", "output", "postrouting"].map((hook) => ({
    hook,
    place: "last",
    priority: 450,
  })),
];

const traced = "meta l4proto udp meta nftrace set 1";

const rules = `
table inet ${tracerTable} {
${chains
  .map(
    ({ hook, place, priority }) =>
      `  chain ${hook}-${place} { type filter hook ${hook} priority ${priority}; ${traced}; }`,
  )
  .join("\n")}
}
table bridge ${tracerTable} { chain bridge-forward { type filter hook forward priority -200; ${traced}; }; }
`;

/** Port 9 is for what nobody wants to hear (RFC 863). */
const discardPort = 9;

/** A visit, with the hook and the type of its chain. */
export interface HookVisit extends ChainVisit {
  readonly hook: string;
  readonly type: string;
}

interface ListedChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly type?: string;
}

/** Watches by nftables' own tracing what becomes of UDP packets in one namespace. */
export class Tracer {
  readonly place: Place;
  readonly #monitor: ChildProcess;
  readonly #lines = new TraceLines();
  #failure: unknown;
  #marks = 0;

  private constructor(place: Place) {
    this.place = place;
    this.#monitor = spawnIn(place.path, "nft", ["monitor", "trace"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { stdout } = this.#monitor;
    if (stdout === null) throw new Error("no pipe from nft");
    createInterface({ input: stdout }).on("line", (line) => {
      try {
        this.#lines.add(line);
      } catch (error) {
        this.#failure = error;
      }
    });
  }

  /** Resolves when it sees everything. Its `lo` must be up. */
  static async start(place: Place): Promise<Tracer> {
    await runProgram(place.path, "nft", ["-f", "-"], { input: rules });
    const tracer = new Tracer(place);
    try {
      // Whoever is not listening yet misses it.
      await until(`nft traces in ${place.name}`, async () => {
        await tracer.#sendMark();
        return tracer.#lastMark() > 0;
      });
      return tracer;
    } catch (error) {
      await tracer.stop().catch(() => {}); // what failed first is what the reader needs to see
      throw error;
    }
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await this.#upToNow();
    this.#lines.clear();
  }

  /** Whether a packet was dropped since then. */
  get sawDrop(): boolean {
    return this.#lines.visits.some(isDropped);
  }

  /** What was seen since {@link clear}, in its order. */
  async visits(): Promise<readonly HookVisit[]> {
    await this.#upToNow();
    const json = await runProgram(this.place.path, "nft", ["--json", "list", "chains"]);
    // nft's format, libnftables-json(5)
    const { nftables } = JSON.parse(json) as {
      readonly nftables: readonly { readonly chain?: ListedChain }[];
    };
    return this.#lines.visits
      .filter(({ packet }) => packet.destinationPort !== discardPort)
      .map((visit) => {
        const { family, table, chain } = visit;
        const found = nftables.find(
          ({ chain: one }) => one?.family === family && one.table === table && one.name === chain,
        )?.chain;
        if (found?.hook === undefined || found.type === undefined)
          throw new Error(`${this.place.name} has no base chain ${family} ${table} ${chain}`);
        return { ...visit, hook: found.hook, type: found.type };
      });
  }

  async stop(): Promise<void> {
    if (this.#monitor.exitCode === null && this.#monitor.signalCode === null) {
      const ended = once(this.#monitor, "close");
      this.#monitor.kill("SIGKILL");
      await ended;
    }
    const tables = ["inet", "bridge"].map((family) => `delete table ${family} ${tracerTable}\n`).join("");
    await runProgram(this.place.path, "nft", ["-f", "-"], { input: tables });
  }

  /** The kernel tells in order: what is seen of a packet of our own comes after all that was before it. */
  async #upToNow(): Promise<void> {
    await this.#sendMark();
    await until(`nft has told all of ${this.place.name}`, () => this.#lastMark() === this.#marks);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #sendMark(): Promise<void> {
    const socket = await bindUdp(this.place, "127.0.0.1");
    const mark = Buffer.alloc(4);
    mark.writeUInt32BE(++this.#marks);
    await new Promise<void>((resolve, reject) =>
      socket.send(mark, discardPort, "127.0.0.1", (error) => (error ? reject(error) : resolve())),
    );
    await closed(socket);
  }

  /** The last of our own packets that has come through everything; 0 before the first. */
  #lastMark(): number {
    const arrived = this.#lines.visits.findLast(
      ({ chain, packet, policy }) =>
        chain === "input-last" && policy !== undefined && packet.destinationPort === discardPort,
    );
    return arrived === undefined ? 0 : Number.parseInt(arrived.packet.payload, 16);
  }
}
