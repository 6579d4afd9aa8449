import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NetworkDb } from "../../../src/gossip/networkdb/index.ts";
import { bytes, seen } from "./cluster-fixture.ts";
import { FakeCluster, fairWeather } from "./fake-cluster.ts";

/** How many schedules are tried, and from which seed; more by hand, to search. */
const numRuns = Number(process.env.WEFT_GOSSIP_RUNS ?? 60);
const seed = Number(process.env.WEFT_GOSSIP_SEED ?? 6);

const names = ["a", "b", "c", "d", "e"] as const;
const networks = ["n1", "n2"] as const;
/** Shorter than the longest pauses below: deletions are forgotten within a schedule. */
const options = { tombstoneTime: 60_000, leftNetworkTime: 65_000 };
/** Enough for each node to have compared its entries with each other one some times. */
const settling = 10 * 60_000;

const node = fc.constantFrom(...names);
const network = fc.constantFrom(...networks);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("write" as const), node, network, key: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("delete" as const), node, network, key: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("share" as const), node, network, key: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("unshare" as const), node, network, key: fc.nat(1) }) },
  // Several at the same moment: their times are often equal.
  { weight: 4, arbitrary: fc.record({ do: fc.constant("race" as const), network, key: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("join" as const), node, network }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), node, network }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const), node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("quit" as const), node }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("partition" as const),
      parts: fc.array(fc.nat(2), { minLength: names.length, maxLength: names.length }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 2_000, max: 90_000 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const weather = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.4),
  duplication: fc.constantFrom(0, 0.3),
  delay: fc.constantFrom<readonly [number, number]>([0.2, 1], [1, 300], [1, 3_000]),
});

/** What is to be true in the end, told by the writers themselves. */
class Model {
  /** What each node that is up wrote since it came to the network: node, network, key to value. */
  readonly own = new Map<string, string>();
  /** Every value that a shared key ever had, by network and key. */
  readonly shared = new Map<string, Set<string>>();

  forget(prefix: string): void {
    for (const key of this.own.keys()) if (key.startsWith(prefix)) this.own.delete(key);
  }
}

test("once the network is whole, all replicas are equal, equal to the last writes, and without zombies", async () => {
  const property = fc.asyncProperty(
    fc.nat(),
    weather,
    fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
    async (seed, weather, steps) => {
      const run = new Run(seed);
      run.cluster.weather = weather;
      for (const one of steps) await run.do(one);
      run.cluster.weather = fairWeather;
      run.cluster.heal();
      await run.cluster.time.run(settling);
      run.check();
      run.cluster.stop();
    },
  );
  await fc.assert(property, { numRuns, seed });
});

class Run {
  readonly cluster: FakeCluster;
  readonly #model = new Model();
  /** What a watcher of each node was told, put together. */
  readonly #watched = new Map<NetworkDb, Map<string, string>>();
  #values = 0;

  constructor(seed: number) {
    this.cluster = new FakeCluster(seed, options);
    for (const name of names) this.#start(name);
  }

  async do(step: Step): Promise<void> {
    if (step.do === "wait") return this.cluster.time.run(step.ms);
    if (step.do === "heal") return this.cluster.heal();
    if (step.do === "partition")
      return this.cluster.partition(Object.fromEntries(names.map((name, i) => [name, step.parts[i] ?? 0])));
    if (step.do === "restart") return this.#restart(step.node);
    if (step.do === "race") {
      for (const node of names)
        if (this.cluster.node(node).isUp) this.#write({ ...step, do: "share", node }, this.cluster.db(node));
      return;
    }
    if (!this.cluster.node(step.node).isUp) return;
    if (step.do === "kill") {
      this.cluster.kill(step.node);
      this.#model.forget(`${step.node} `);
    } else if (step.do === "quit") {
      this.#model.forget(`${step.node} `);
      await this.cluster.leave(step.node);
    } else this.#write(step, this.cluster.db(step.node));
  }

  #write(step: Extract<Step, { node: string; network: string }>, db: NetworkDb): void {
    const { node, network } = step;
    const isOn = db.networks().includes(network);
    if (step.do === "join") void db.joinNetwork(network);
    else if (!isOn) return;
    else if (step.do === "leave") {
      db.leaveNetwork(network);
      this.#model.forget(`${node} ${network} `);
    } else if (step.do === "write" || step.do === "delete") {
      const key = `${node}${step.key}`;
      const name = `${node} ${network} ${key}`;
      if (step.do === "write") this.#model.own.set(name, this.#put(db, network, key));
      else if (db.get(network, "t", key) !== undefined) db.delete(network, "t", key);
      if (step.do === "delete") this.#model.own.delete(name);
    } else {
      const key = `shared${step.key}`;
      const values = this.#model.shared.get(`${network} ${key}`) ?? new Set();
      this.#model.shared.set(`${network} ${key}`, values);
      if (step.do === "share") values.add(this.#put(db, network, key));
      else if (db.get(network, "t", key) !== undefined) db.delete(network, "t", key);
    }
  }

  #put(db: NetworkDb, network: string, key: string): string {
    const value = `value ${this.#values++}`;
    if (db.get(network, "t", key) === undefined) db.create(network, "t", key, bytes(value));
    else db.update(network, "t", key, bytes(value));
    return value;
  }

  #restart(name: string): void {
    if (this.cluster.node(name).isUp) this.cluster.kill(name);
    this.#model.forget(`${name} `);
    this.#start(name);
  }

  /** By any node that is up; it is on network n1 from the start. */
  #start(name: string): void {
    const contact = [...this.cluster.nodes.values()].find((other) => other.isUp && other.name !== name);
    const { db } = this.cluster.start(name, contact?.name);
    void db.joinNetwork("n1");
    const told = new Map<string, string>();
    this.#watched.set(db, told);
    db.watch({}, ({ change, network, key, value }) => {
      const place = `${network} ${key}`;
      assert.equal(told.has(place), change !== "created", `${name} is told that ${place} was ${change}`);
      if (change === "deleted") told.delete(place);
      else told.set(place, Buffer.from(value).toString());
    });
  }

  check(): void {
    const up = [...this.cluster.nodes.values()].filter(({ isUp }) => isUp);
    for (const network of networks) {
      const members = up.filter(({ db }) => db.networks().includes(network));
      const last = new Map(
        [...this.#model.own].flatMap(([name, value]) => {
          const [, of, key = ""] = name.split(" ");
          return of === network ? [[key, value] as const] : [];
        }),
      );
      const [first] = members;
      for (const { name, db } of members) {
        const all = seen(db, network);
        assert.deepEqual(
          db.members(network).toSorted(),
          members.map((one) => one.name).sort(),
          `${name}, ${network}`,
        );
        if (first !== undefined)
          assert.deepEqual(all, seen(first.db, network), `${name} and ${first.name}, ${network}`);
        const own = Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("shared")));
        assert.deepEqual(own, Object.fromEntries([...last].sort()), `${name}, ${network}`);
        for (const [key, value] of Object.entries(all))
          if (key.startsWith("shared"))
            assert.ok(this.#model.shared.get(`${network} ${key}`)?.has(value), key);
      }
    }
    for (const { name, db } of up) this.#checkWatched(name, db);
  }

  #checkWatched(name: string, db: NetworkDb): void {
    const there = db
      .networks()
      .flatMap((network) => db.list(network, "t").map((entry) => ({ network, ...entry })))
      .filter(({ owner }) => owner !== name)
      .map(({ network, key, value }) => [`${network} ${key}`, Buffer.from(value).toString()] as const);
    assert.deepEqual(
      [...(this.#watched.get(db) ?? [])].sort(),
      there.sort(),
      `what ${name}'s watcher was told`,
    );
  }
}
