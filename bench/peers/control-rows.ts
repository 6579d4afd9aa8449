import type { Path } from "./lan.ts";
import type { Hosts, Peer, PeerSandbox } from "./peer.ts";
import { type BesideRow, type Contestant, Samples } from "./row.ts";
import { answeredThrough } from "./traffic.ts";

/** What a program asks of a fabric, of every peer in turn; the other's turn leaves caches cold, so each begins with one that is not counted. */
export async function networkRows(hosts: Hosts, rounds: number): Promise<readonly BesideRow[]> {
  const samples = {
    create: new Samples("create a bridge network", "ms"),
    connect: new Samples("connect a running container to it", "ms"),
    disconnect: answeredAndComplete("disconnect it"),
    remove: answeredAndComplete("delete the network"),
  };
  const sandboxes = new Map<Contestant, PeerSandbox>();
  for (const [who, { peer }] of hosts)
    sandboxes.set(who, await peer.startSandbox("running", await peer.createNetwork("home")));
  for (let round = 0; round < rounds; round++)
    for (const [who, { peer }] of hosts) {
      const sandbox = sandboxes.get(who);
      if (sandbox === undefined) throw new Error(`${who} has no sandbox`);
      await networkLife(peer, sandbox, "warm");
      const times = await networkLife(peer, sandbox, "net");
      samples.create.add(who, times.create);
      samples.connect.add(who, times.connect);
      samples.disconnect.add(who, times.disconnect);
      samples.remove.add(who, times.remove);
    }
  for (const [who, { peer }] of hosts) {
    await sandboxes.get(who)?.delete();
    await peer.settled();
  }
  return [
    samples.create.row(),
    samples.connect.row(),
    ...samples.disconnect.rows(),
    ...samples.remove.rows(),
  ];
}

/** A time until the caller is answered, and until nothing of it is still on its way out, ms. */
interface AnsweredAndComplete {
  readonly answered: number;
  readonly complete: number;
}

async function networkLife(peer: Peer, sandbox: PeerSandbox, name: string) {
  const [network, create] = await timedResult(() => peer.createNetwork(name));
  const [connection, connect] = await timedResult(() => sandbox.connect(network));
  const disconnect = await timedRemoval(peer, () => connection.disconnect());
  const remove = await timedRemoval(peer, () => network.delete());
  return { create, connect, disconnect, remove };
}

async function timedRemoval(peer: Peer, work: () => Promise<void>): Promise<AnsweredAndComplete> {
  const start = performance.now();
  await work();
  const answered = performance.now() - start;
  await peer.settled();
  return { answered, complete: performance.now() - start };
}

/** What `work` gives, and how long it took, ms. */
async function timedResult<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

function answeredAndComplete(work: string) {
  const answered = new Samples(`${work}, until the caller is answered`, "ms");
  const complete = new Samples(`${work}, until complete`, "ms");
  return {
    add: (who: Contestant, time: AnsweredAndComplete) => {
      answered.add(who, time.answered);
      complete.add(who, time.complete);
    },
    rows: () => [answered.row(), complete.row()],
  };
}

const hundredPorts = ["8000-8099:8000-8099"];

/** How long a turn lasts, ms: as often as it gets to in that time, and at least once. */
const turnMs = 2000;

/** For how long everybody publishes before it counts, ms: what was just started has not compiled or cached much yet. */
const warmUpMs = 3000;

/**
 * Starts a container with 100 published ports and one without by turns; what the ports cost is the difference.
 * The very first one with ports, which finds everything cold, has a row of its own.
 */
export async function portRows(hosts: Hosts, rounds: number): Promise<readonly BesideRow[]> {
  const without = new Samples("start a container (weft: make a sandbox)", "ms");
  const withPorts = new Samples("the same with 100 published ports", "ms");
  const difference = new Samples("publish 100 ports (the difference)", "ms");
  const first = new Samples("the first one with 100 published ports", "ms");
  for (const [who, { peer, path }] of hosts) {
    await peer.createNetwork("ports");
    first.add(who, await checked(peer, path));
    await warmUp(peer);
  }
  for (let round = 0; round < rounds; round++)
    for (const [who, { peer }] of hosts) {
      await startTime(peer, "warm", []);
      await startTime(peer, "warm", hundredPorts);
      const end = performance.now() + turnMs;
      do {
        const plain = await startTime(peer, "plain", []);
        const published = await startTime(peer, "published", hundredPorts);
        without.add(who, plain);
        withPorts.add(who, published);
        difference.add(who, published - plain);
      } while (performance.now() < end);
    }
  return [first.row(), without.row(), withPorts.row(), difference.row()];
}

/** At least one container with ports and one without, and more of both for as long as everybody has. */
async function warmUp(peer: Peer): Promise<void> {
  const end = performance.now() + warmUpMs;
  do {
    await startTime(peer, "warm", []);
    await startTime(peer, "warm", hundredPorts);
  } while (performance.now() < end);
}

async function startTime(peer: Peer, name: string, ports: readonly string[]): Promise<number> {
  const [sandbox, time] = await timedResult(() => peer.startSandbox(name, { name: "ports" }, ports));
  await sandbox.delete();
  await peer.settled();
  return time;
}

/** No figure for what does not work: the last of the ports has to lead to a server. Gives how long the start took, ms. */
async function checked(peer: Peer, path: Path): Promise<number> {
  const [sandbox, time] = await timedResult(() =>
    peer.startSandbox("checked", { name: "ports" }, hundredPorts),
  );
  await answeredThrough(path, await sandbox.netns(), 8099);
  await sandbox.delete();
  await peer.settled();
  return time;
}
