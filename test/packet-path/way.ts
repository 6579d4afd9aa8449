import { once } from "node:events";
import { until } from "../e2e/until.ts";
import { setSysctl } from "../e2e/uplink.ts";
import { runProgram } from "../peers/programs.ts";
import type { Place } from "../place.ts";
import { bindUdp, closed } from "../ports/netns-sockets.ts";
import { hopTable } from "./hop-table.ts";
import { journeyOf } from "./journey.ts";
import { clientPort, type PlaceName, type Stage } from "./stage.ts";
import { Tracer } from "./tracer.ts";

/** One datagram, and what is to become of it. */
export interface Way {
  readonly from: PlaceName;
  /** The address to send from; the kernel chooses one without. */
  readonly source?: string;
  readonly to: readonly [address: string, port: number];
  readonly message?: Buffer;
  readonly ends: "answered" | "dropped";
  /** Whether frames on a bridge pass IP's rules, as br_netfilter has it where nobody turned it off; true. */
  readonly bridgeNetfilter?: boolean;
  /** Changes the stage, for this way and those that follow. */
  readonly before?: (stage: Stage) => Promise<void>;
}

/** Ports that the page names; all others are given by chance. */
const namedPorts: ReadonlySet<number> = new Set([53, 80, 8080, 8081, 61053, clientPort]);

/** How long an answer may take, ms; only what is broken takes it all. */
const patienceMs = 10_000;

/** Sends the datagram of each way in turn and gives its hops as a Markdown table, by the ways' names. */
export async function traceWays(
  stage: Stage,
  ways: Readonly<Record<string, Way>>,
): Promise<ReadonlyMap<string, string>> {
  const tables = new Map<string, string>();
  const tracers: Tracer[] = [];
  try {
    for (const [name, way] of Object.entries(ways)) {
      try {
        if (way.before !== undefined || tracers.length === 0) {
          await way.before?.(stage);
          // Whoever traces does not know rules that came after him.
          await stopAll(tracers);
          for (const place of stage.places.values()) tracers.push(await Tracer.start(place));
        }
        tables.set(name, await traceWay(stage, tracers, way));
      } catch (cause) {
        throw new Error(`the way ${name} is not as expected`, { cause });
      }
    }
    return tables;
  } finally {
    await stopAll(tracers);
  }
}

async function stopAll(tracers: Tracer[]): Promise<void> {
  await Promise.all(tracers.splice(0).map((tracer) => tracer.stop()));
}

async function traceWay(stage: Stage, tracers: readonly Tracer[], way: Way): Promise<string> {
  const { host, places, links } = stage;
  const [from, netns] = [places.get(way.from), places.get("host")];
  if (from === undefined || netns === undefined) throw new Error(`there is no place ${way.from}`);
  for (const name of ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables"])
    setSysctl(host.netns, `net/bridge/${name}`, (way.bridgeNetfilter ?? true) ? "1" : "0");
  // What is known of a flow already would be judged by that.
  for (const place of new Set([from, netns])) await runProgram(place.path, "conntrack", ["--flush"]);
  await Promise.all(tracers.map((tracer) => tracer.clear()));
  await send(from, way, tracers);
  const seen = new Map(
    await Promise.all(tracers.map(async (tracer) => [tracer.place.name, await tracer.visits()] as const)),
  );
  return hopTable(journeyOf(way.from, seen), { links, ports: namedPorts });
}

/** Resolves once what is to become of the datagram has come true. */
async function send(
  from: Place,
  { to: [address, port], source, message = Buffer.from("hello"), ends }: Way,
  tracers: readonly Tracer[],
): Promise<void> {
  const socket = await bindUdp(from, source ?? (address.includes(":") ? "::" : "0.0.0.0"), clientPort);
  try {
    const answered = once(socket, "message", { signal: AbortSignal.timeout(patienceMs) });
    answered.catch(() => {}); // nobody waits for it when the datagram is to be dropped
    socket.send(message, port, address);
    if (ends === "answered") await answered;
    else await until("the datagram was dropped", () => tracers.some(({ sawDrop }) => sawDrop));
  } finally {
    await closed(socket);
  }
}
