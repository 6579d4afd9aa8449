import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { schema } from "../../src/cnm/schema.ts";
import type { SandboxRecord } from "../../src/index.ts";
import { LmdbStore } from "../../src/store/index.ts";
import { after, type ChurnLine, type LaneState, laneCount, laneState, type Operation } from "./churn.ts";
import { seededRandom } from "./seeded-random.ts";
import { readStore, strayAddresses } from "./store-contents.ts";
import { linksIn, type TestHost, withHost } from "./test-host.ts";

const killCount = 20;
/** The longest that the program works before it is killed, ms. */
const longestLifeMs = 250;

/** What a killed program left: each lane's state for sure, and what it was about to do. */
interface Lane {
  state: LaneState;
  pending: Operation | undefined;
}

/** Starts the program, kills it at a random moment, and brings the lanes to what it said. */
async function churnAndKill(host: TestHost, seed: number, lanes: readonly Lane[]): Promise<void> {
  const random = seededRandom(seed);
  const program = fileURLToPath(new URL("./churn-program.js", import.meta.url));
  const argument = JSON.stringify({ options: host.options, seed });
  const child = host.netns.start(process.execPath, [program, argument], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.ok(child.stdout);
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  // Every fourth is killed while it opens.
  const signal = random() < 0.25 ? "opening" : "opened";
  let killing: Promise<void> | undefined;
  for await (const line of lines) {
    if (line === signal) killing = delay(random() * longestLifeMs).then(() => void child.kill("SIGKILL"));
    if (line.startsWith("{")) take(lanes, JSON.parse(line) as ChurnLine); // churn-program.ts wrote it
  }
  await killing;
  await exited;
  assert.equal(child.signalCode, "SIGKILL", "the program ended by itself");
}

function take(lanes: readonly Lane[], { lane, step, operation }: ChurnLine): void {
  const own = lanes[lane];
  assert.ok(own);
  own.pending = step === "begin" ? operation : undefined;
  if (step === "done") own.state = after(own.state, operation);
}

/** What was done is there, what was not begun is not; what was being done is one or the other. */
async function assertRestored(host: TestHost, lanes: readonly Lane[]): Promise<void> {
  const controller = await host.open();
  await controller.idle();
  assert.deepEqual(await controller.drift(), []);
  for (const [i, lane] of lanes.entries()) {
    const found = laneState(controller, i);
    const { state, pending } = lane;
    const done = pending === undefined ? state : after(state, pending);
    const expected = isDeepStrictEqual(found, done) ? done : state;
    assert.deepEqual(found, expected, `lane ${i} with ${JSON.stringify(pending)}`);
    lane.state = found;
    lane.pending = undefined;
  }
  assertHostHolds(host, lanes);
  await controller.close();
  await assertStoreHolds(host);
}

/** Counted without weft: a link for each network and each joined endpoint, a namespace for each sandbox. */
function assertHostHolds(host: TestHost, lanes: readonly Lane[]): void {
  const networks = lanes.flatMap(({ state }) => Object.values(state.networks));
  const joined = networks
    .flatMap((endpoints) => Object.values(endpoints))
    .filter((sandbox) => sandbox !== null);
  assert.equal(linksIn(host.netns).length, 1 + networks.length + joined.length);
  const sandboxes = lanes.flatMap(({ state }) => state.sandboxes);
  assert.equal(readdirSync(join(host.root, "run/netns")).length, sandboxes.length);
  const files = join(host.root, "run/sandboxes");
  // A kill between removing the last file of a folder and the folder itself leaves that, empty.
  const folders = readdirSync(files).filter((folder) => readdirSync(join(files, folder)).length > 0);
  assert.equal(folders.length, sandboxes.length);
  const tables = host.netns.exec("nft", "list", "tables").trim();
  assert.equal(tables, networks.length === 0 ? "" : "table inet weft");
}

async function assertStoreHolds(host: TestHost): Promise<void> {
  const contents = await readStore(host.root);
  assert.deepEqual(strayAddresses(contents), []);
  const { networks, endpoints, sandboxes } = contents;
  const onTheirWayOut = [...networks, ...endpoints, ...sandboxes].filter(({ state }) => state === "deleting");
  assert.deepEqual(onTheirWayOut, []);
  assert.deepEqual(
    endpoints.filter(({ join: joined }) => joined?.leaving === true),
    [],
  );
}

suite("a controller whose process is killed while it works", () => {
  test("removes the empty file that a kill leaves between making a namespace and mounting it", () =>
    withHost(async (host) => {
      const sandbox = await host.controller.createSandbox("box");
      await host.controller.close();
      const stray = join(dirname(sandbox.key), "0123456789ab");
      writeFileSync(stray, "");
      const controller = await host.open();
      assert.deepEqual(readdirSync(dirname(sandbox.key)), [basename(sandbox.key)]);
      assert.deepEqual(await controller.drift(), []);
    }));

  test("removes the file that a kill leaves of a namespace whose sandbox was being deleted", () =>
    withHost(async (host) => {
      const { id, key } = await host.controller.createSandbox("box");
      await host.controller.close();
      execFileSync("umount", [key]);
      const store = await LmdbStore.open({ path: join(host.root, "store"), schema });
      const record = store.get(`sandboxes/${id}`) as SandboxRecord; // src/cnm wrote it
      await store.transact((tx) => tx.put(`sandboxes/${id}`, { ...record, state: "deleting" }));
      await store.close();
      const controller = await host.open();
      await controller.idle();
      assert.deepEqual(readdirSync(dirname(key)), []);
      assert.deepEqual(controller.sandboxes(), []);
    }));

  test("makes a namespace anew whose file was made and not mounted", () =>
    withHost(async (host) => {
      const sandbox = await host.controller.createSandbox("box");
      await host.controller.close();
      execFileSync("umount", [sandbox.key]);
      const controller = await host.open();
      assert.deepEqual(await controller.drift(), []);
      assert.match(await host.output(sandbox, "ip", "link", "show", "lo"), /UP/);
    }));

  test(`keeps what it has said through ${killCount} kills, and leaves nothing behind`, () =>
    withHost(
      async (host) => {
        const lanes = Array.from(
          { length: laneCount },
          (): Lane => ({ state: { networks: {}, sandboxes: [] }, pending: undefined }),
        );
        for (let seed = 1; seed <= killCount; seed++) {
          await churnAndKill(host, seed, lanes);
          await assertRestored(host, lanes).catch((error: unknown) => {
            throw new Error(`after the kill with seed ${seed}`, { cause: error });
          });
        }
      },
      { opened: false },
    ));
});
