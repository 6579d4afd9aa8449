import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Sandbox } from "../../../src/api/index.ts";
import { isWeftError, messageOf } from "../../../src/core/index.ts";
import { seededRandom } from "../seeded-random.ts";
import { readStore, strayAddresses } from "../store-contents.ts";
import { type Account, accountOf, assertHostHolds } from "./host-account.ts";
import { startTicksOf } from "./process-traces.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";
import {
  after,
  type Box,
  type ClientState,
  carryOut,
  chosen,
  commandTouchedBy,
  isInternal,
  type Operation,
  outcomes,
} from "./workload.ts";

const clientCount = 4;
const kills = Number(process.env.WEFT_CRASH_KILLS ?? "60");
const seed = Number(process.env.WEFT_CRASH_SEED ?? "1");
/** How many things a client does before the daemon's last moments begin: fewer than this. */
const mostBefore = 3;
/** How long after requests have begun the daemon is killed at most, ms; now and then much later. */
const soonMs = 60;
const lateMs = 600;
/** How long a start takes that is itself cut off, at most, ms. */
const startMs = 600;

/** What was told of a command: it has to stay as it is while nobody asks for anything else. */
interface Told {
  readonly pid: number;
  readonly startTicks: number | undefined;
  readonly Ports: Sandbox["Ports"];
}

/** A client: what it knows for sure, and what it has asked for without an answer. */
class Client {
  readonly #number: number;
  state: ClientState = { networks: [], boxes: {} };
  pending: Operation | undefined;
  readonly told = new Map<string, Told>();
  answered = 0;

  constructor(number: number) {
    this.#number = number;
  }

  /** True for names of this client's networks and sandboxes. */
  owns(name: string): boolean {
    return name.startsWith(`client${this.#number}-`);
  }

  /** Asks for so many things, one after the other; fewer when the daemon goes away. */
  async work({ client }: TestDaemon, count: number, random: () => number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const operation = chosen(this.#number, this.state, random);
      this.pending = operation;
      const touched = commandTouchedBy(operation);
      try {
        await carryOut(client, operation);
        this.done(operation);
        if (touched !== undefined && this.state.boxes[touched]?.status === "running")
          this.note(await client.sandbox(touched));
      } catch (error) {
        if (isWeftError(error, "ANSWER_LOST")) return;
        if (!isWeftError(error, "DAEMON_UNREACHABLE"))
          throw new Error(`${JSON.stringify(operation)} was refused: ${messageOf(error)}`, { cause: error });
        this.pending = undefined;
        return;
      }
    }
  }

  done(operation: Operation): void {
    const touched = commandTouchedBy(operation);
    if (touched !== undefined) this.told.delete(touched);
    this.state = after(this.state, operation);
    this.pending = undefined;
    this.answered++;
  }

  /** Takes down what a command that runs is told to be. */
  note({ Name, State, Ports }: Sandbox): void {
    this.told.set(Name, { pid: State.Pid, startTicks: startTicksOf(State.Pid), Ports });
  }
}

/** What a client finds of its own. */
async function found(daemon: TestDaemon, client: Client, { sandboxes }: Account): Promise<ClientState> {
  const networks = await daemon.client.networks();
  const own = sandboxes.filter(({ Name }) => client.owns(Name));
  return {
    networks: networks
      .map(({ Name }) => Name)
      .filter((name) => client.owns(name))
      .sort(),
    boxes: Object.fromEntries(own.map((sandbox) => [sandbox.Name, boxOf(sandbox)])),
  };
}

function boxOf({ Name, State, Config, SandboxKey, Networks, Ports }: Sandbox): Box {
  const networks = (Config.Networks ?? []).map(({ Network }) => Network).sort();
  const isOpen = SandboxKey !== "";
  assert.equal(isOpen, Config.Command === undefined || State.Running, `${Name} is open while it runs`);
  if (isOpen) assert.deepEqual(Object.keys(Networks).sort(), networks, `the networks of ${Name}`);
  const ports = Config.Ports ?? [];
  if (isOpen)
    assert.deepEqual(Object.keys(Ports).sort(), publishedPorts(ports, networks), `the ports of ${Name}`);
  const { Status } = State;
  assert.notEqual(Status, "restarting");
  return { status: Config.Command === undefined ? "open" : (Status as Box["status"]), networks, ports };
}

/** Which ports of a sandbox that is open are published: none where nobody may come in. */
function publishedPorts(asked: readonly string[], networks: readonly string[]): readonly string[] {
  if (networks.every(isInternal)) return [];
  return asked
    .map((port) => port.replace(/^.*:/, ""))
    .map((port) => (port.includes("/") ? port : `${port}/tcp`))
    .sort();
}

/** Lets clients ask for things, and kills the daemon soon after they have begun once more; now and then its next start, too. */
async function workAndKill(daemon: TestDaemon, clients: readonly Client[], round: number): Promise<void> {
  const random = seededRandom(seed * 10_007 + round);
  const randoms = clients.map(() => seededRandom(random() * 2 ** 32));
  const work = (count: () => number) =>
    Promise.all(clients.map((client, i) => client.work(daemon, count(), randoms[i] ?? random)));
  await work(() => Math.floor(random() * mostBefore));
  const working = work(() => Number.POSITIVE_INFINITY);
  working.catch(() => {}); // awaited below
  await delay(random() * (random() < 0.8 ? soonMs : lateMs));
  await daemon.kill();
  await working;
  if (random() < 0.2) {
    daemon.launch();
    await delay(random() * startMs);
    await daemon.kill();
  }
}

/** Everything is as the clients were told; what was not answered is one or the other, and is settled. */
async function assertKept(daemon: TestDaemon, clients: readonly Client[]): Promise<void> {
  const account = await accountOf(daemon);
  for (const client of clients) {
    const now = await found(daemon, client, account);
    const allowed = outcomes(client.state, client.pending);
    const isAllowed = allowed.some((one) => isDeepStrictEqual(one, now));
    if (!isAllowed)
      assert.deepEqual(now, allowed.at(-1), `with ${JSON.stringify(client.pending)} unanswered`);
    assertUntouched(client, account);
    client.state = now;
    await settle(daemon, client);
  }
  const settled = await accountOf(daemon);
  await assertHostHolds(daemon, settled);
  assert.deepEqual(await daemon.client.drift(), []);
  for (const client of clients)
    for (const sandbox of settled.sandboxes)
      if (client.owns(sandbox.Name) && sandbox.State.Running) client.note(sandbox);
}

/** The commands that nobody touched are the same processes, at the same ports. */
function assertUntouched(client: Client, { sandboxes }: Account): void {
  const touched = commandTouchedBy(client.pending);
  for (const [name, { pid, startTicks, Ports }] of client.told) {
    if (name === touched) continue;
    const sandbox = sandboxes.find(({ Name }) => Name === name);
    assert.deepEqual(
      { pid: sandbox?.State.Pid, startTicks: startTicksOf(pid), Ports: sandbox?.Ports },
      { pid, startTicks, Ports },
      `${name} runs on`,
    );
  }
}

/** A command that was being started or ended when the daemon was killed may end at any moment: it is ended. */
async function settle({ client: door }: TestDaemon, client: Client): Promise<void> {
  const touched = commandTouchedBy(client.pending);
  client.pending = undefined;
  if (touched === undefined) return;
  client.told.delete(touched);
  if (client.state.boxes[touched]?.status !== "running") return;
  const operation: Operation = { do: "stop", box: touched };
  await carryOut(door, operation);
  client.done(operation);
}

async function assertStoreHolds({ root }: TestDaemon): Promise<void> {
  const contents = await readStore(root);
  assert.deepEqual(strayAddresses(contents), []);
  const { networks, endpoints, sandboxes } = contents;
  const onTheirWayOut = [...networks, ...endpoints, ...sandboxes].filter(({ state }) => state === "deleting");
  assert.deepEqual(onTheirWayOut, []);
}

suite("a daemon that is killed while clients work", () => {
  test(`holds what it has answered through ${kills} kills (WEFT_CRASH_SEED=${seed})`, () =>
    withDaemon(async (daemon) => {
      const clients = Array.from({ length: clientCount }, (_, i) => new Client(i));
      for (let round = 1; round <= kills; round++) {
        try {
          await workAndKill(daemon, clients, round);
          await daemon.start();
          await assertKept(daemon, clients);
        } catch (error) {
          throw new Error(`after kill ${round} with WEFT_CRASH_SEED=${seed}`, { cause: error });
        }
      }
      const answered = clients.reduce((sum, client) => sum + client.answered, 0);
      assert.ok(answered > kills, `only ${answered} operations were answered`);
      await daemon.kill("SIGTERM");
      await assertStoreHolds(daemon);
    }));
});
