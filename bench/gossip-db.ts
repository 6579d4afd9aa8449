import { createServer, connect as dial, type Server } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseAddress } from "../src/core/index.ts";
import type { Cluster, Member } from "../src/gossip/cluster.ts";
import type { Environment } from "../src/gossip/environment.ts";
import { NetworkDb } from "../src/gossip/networkdb/index.ts";

/** The name of this part of the bench. */
export const gossipDbPart = "gossip-db";

/** What the network database costs with a large table. */
export interface GossipDbFigures {
  readonly entries: number;
  readonly valueBytes: number;
  /** Growth of heap and buffers, at the node that wrote them and at the one that was sent them. */
  readonly writerBytes: number;
  readonly joinerBytes: number;
  /** From joinNetwork until it resolves, over TCP on loopback, both nodes in this process. */
  readonly joinMs: number;
  /** What both nodes together needed for it of the processor, which other programs do not prolong. */
  readonly joinCpuMs: number;
  readonly sentBytes: number;
  /** The longest time in which neither node did anything else. */
  readonly longestTurnMs: number;
}

const entries = 100_000;
const valueBytes = 64;

/** Writes a large table at one node, and lets another come to its network. */
export async function gossipDb(): Promise<GossipDbFigures> {
  const [writer, joiner] = [await LoopbackNode.open("writer"), await LoopbackNode.open("joiner")];
  try {
    LoopbackNode.introduce(writer, joiner);
    const empty = memoryInUse();
    void writer.db.joinNetwork("n1");
    for (let i = 0; i < entries; i++)
      writer.db.create(
        "n1",
        "endpoint_table",
        `endpoint-${i}`.padEnd(25, "x"),
        new Uint8Array(valueBytes).fill(i),
      );
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // Until its gossip to nobody is dropped.
    const written = memoryInUse();
    joiner.db.mergeState(writer.db.localState(true), true); // Who is on which network.
    const turns = watchTurns();
    const start = performance.now();
    const cpuBefore = process.cpuUsage();
    await joiner.db.joinNetwork("n1");
    const joinMs = performance.now() - start;
    const cpu = process.cpuUsage(cpuBefore);
    const joinCpuMs = (cpu.user + cpu.system) / 1000;
    const longestTurnMs = turns.end();
    const found = joiner.db.list("n1", "endpoint_table").length;
    if (found !== entries) throw new Error(`the joiner has ${found} entries`);
    const joined = memoryInUse();
    const sentBytes = writer.db.counters().syncBytesSent;
    const bytes = { writerBytes: written - empty, joinerBytes: joined - written };
    return { entries, valueBytes, ...bytes, joinMs, joinCpuMs, sentBytes, longestTurnMs };
  } finally {
    writer.close();
    joiner.close();
  }
}

/** The figures as lines of text. */
export function gossipDbTable(figures: GossipDbFigures): readonly string[] {
  const { entries, valueBytes, writerBytes, joinerBytes, joinMs, joinCpuMs, sentBytes, longestTurnMs } =
    figures;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const rows = [
    [`memory of ${entries} entries of ${valueBytes} bytes, at their writer`, megabytes(writerBytes)],
    ["  at a node that was sent them", megabytes(joinerBytes)],
    ["bulk sync of them to a joiner, on loopback", `${(joinMs / 1000).toFixed(2)} s`],
    ["  processor time of both nodes", `${(joinCpuMs / 1000).toFixed(2)} s`],
    ["  bytes sent", megabytes(sentBytes)],
    ["  longest turn of the event loop, both nodes in one process", `${longestTurnMs.toFixed(0)} ms`],
  ];
  return rows.map(([what = "", figure = ""]) => what.padEnd(70) + figure.padStart(12));
}

/** A node whose membership is fixed, and whose messages are frames on TCP connections, one for each. */
class LoopbackNode implements Cluster {
  readonly self: string;
  readonly db: NetworkDb;
  readonly #server: Server;
  readonly #others = new Map<string, Member>();

  static async open(name: string): Promise<LoopbackNode> {
    const server = createServer({ allowHalfOpen: false });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new LoopbackNode(name, server);
  }

  private constructor(name: string, server: Server) {
    this.self = name;
    this.#server = server;
    this.db = new NetworkDb(environment());
    this.db.start(this);
    server.on("connection", (socket) => {
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => this.db.received(Buffer.concat(chunks)));
      socket.on("error", () => {});
    });
  }

  /** Makes members of two nodes, each of the other. */
  static introduce(a: LoopbackNode, b: LoopbackNode): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.#others.set(other.self, other.#member());
      one.db.joined(other.#member());
    }
  }

  members(): readonly Member[] {
    return [this.#member(), ...this.#others.values()];
  }

  member(name: string): Member | undefined {
    return name === this.self ? this.#member() : this.#others.get(name);
  }

  sendPacket(to: Member, message: Uint8Array): void {
    this.sendReliable(to, message).catch(() => {});
  }

  sendReliable(to: Member, message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = dial(to.port, to.address);
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.resume();
      socket.end(message);
    });
  }

  close(): void {
    this.db.stop();
    this.#server.close();
  }

  #member(): Member {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return {
      name: this.self,
      address: parseAddress("127.0.0.1"),
      port,
      meta: new Uint8Array(),
      state: "alive",
    };
  }
}

function environment(): Environment {
  return {
    timers: {
      monotonic: () => performance.now(),
      after: (delay, task) => {
        const timer = setTimeout(task, delay);
        return () => clearTimeout(timer);
      },
    },
    dice: { below: (limit) => Math.floor(Math.random() * limit), fraction: Math.random },
    log: { warn: (message, facts) => console.error(message, facts), info: () => {} },
  };
}

/** Looks at the clock in every turn; `end` gives the longest time between two looks. */
function watchTurns(): { end(): number } {
  let last = performance.now();
  let longest = 0;
  let next: NodeJS.Immediate;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(look);
  };
  next = setImmediate(look);
  return {
    end: () => {
      clearImmediate(next);
      return longest;
    },
  };
}

/** Bytes of heap and array buffers that are alive. */
function memoryInUse(): number {
  for (let i = 0; i < 3; i++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
