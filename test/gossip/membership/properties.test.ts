import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressToBytes, parseAddress } from "../../../src/core/index.ts";
import {
  lanProfile,
  type MemberRecord,
  Membership,
  MemoryNetwork,
  seededDice,
  VirtualTimers,
} from "../../../src/gossip/index.ts";
import { TestCluster } from "../cluster-fixture.ts";

const size = 6;
const names = Array.from({ length: size }, (_, i) => `n${i + 1}`);

/** What may happen to a cluster. */
type Step =
  | { readonly kind: "kill" | "restart" | "leave"; readonly node: number }
  | { readonly kind: "cut"; readonly side: readonly boolean[] }
  | { readonly kind: "heal" }
  | { readonly kind: "weather"; readonly loss: number; readonly duplication: number; readonly delay: number }
  | { readonly kind: "write"; readonly node: number; readonly meta: string }
  | { readonly kind: "wait"; readonly ms: number };

const node = fc.nat(size - 1);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom<"kill" | "restart" | "leave">("kill", "restart", "leave"), node }),
    fc.record({
      kind: fc.constant<"cut">("cut"),
      side: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
    }),
    fc.record({ kind: fc.constant<"heal">("heal") }),
    fc.record({
      kind: fc.constant<"weather">("weather"),
      loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
      duplication: fc.double({ min: 0, max: 0.5, noNaN: true }),
      delay: fc.nat(400),
    }),
    fc.record({ kind: fc.constant<"write">("write"), node, meta: fc.string({ maxLength: 20 }) }),
    fc.record({ kind: fc.constant<"wait">("wait"), ms: fc.nat(60_000) }),
  ),
  { maxLength: 25 },
);

/** One run: does the steps, makes everything whole, and looks whether all agree. */
class Run {
  readonly #cluster: TestCluster;
  readonly #running = new Set<string>();

  constructor(seed: number) {
    this.#cluster = new TestCluster(seed);
    for (const name of names) this.#start(name);
    this.#joinAll();
    this.#cluster.timers.advance(5000);
  }

  do(step: Step): void {
    const { timers, network } = this.#cluster;
    switch (step.kind) {
      case "kill":
        this.#kill(nameOf(step.node));
        return;
      case "leave":
        void this.#ifRunning(nameOf(step.node), ({ membership }) => membership.leave(3000).catch(() => {}));
        timers.advance(3000);
        this.#kill(nameOf(step.node));
        return;
      case "restart":
        this.#kill(nameOf(step.node));
        this.#start(nameOf(step.node));
        this.#joinAll();
        return;
      case "cut": {
        const side = new Map(names.map((name, i) => [this.#cluster.node(name).place.address, step.side[i]]));
        network.cut((from, to) => side.get(from.address) !== side.get(to.address));
        return;
      }
      case "heal":
        network.heal();
        return;
      case "weather":
        network.conditions.loss = step.loss;
        network.conditions.duplication = step.duplication;
        network.conditions.delay = [1, 1 + step.delay];
        return;
      case "write":
        this.#ifRunning(nameOf(step.node), (one) => {
          one.meta = Buffer.from(step.meta);
          one.membership.updateMeta();
        });
        return;
      case "wait":
        timers.advance(step.ms);
    }
  }

  /** The network is whole, and who is alone joins again, as an operator would have it. */
  agree(): void {
    const { network, timers } = this.#cluster;
    network.heal();
    network.conditions.loss = 0;
    network.conditions.duplication = 0;
    network.conditions.delay = [1, 5];
    for (const name of names) if (!this.#running.has(name)) this.#start(name);
    this.#joinAll();
    timers.advance(240_000);
    for (const name of names) {
      const one = this.#cluster.node(name);
      assert.deepEqual(
        one.membership
          .members()
          .map(({ name: other }) => other)
          .sort(),
        names,
        `${name} sees all`,
      );
      for (const member of one.membership.members()) {
        assert.equal(member.state, "alive");
        const itself = this.#cluster.node(member.name);
        assert.deepEqual(
          Buffer.from(member.meta),
          Buffer.from(itself.meta),
          `${name} knows the meta of ${member.name}`,
        );
        assert.equal(member.incarnation, itself.membership.incarnation);
      }
    }
  }

  close(): void {
    this.#cluster.close();
  }

  #start(name: string): void {
    this.#cluster.start(name);
    this.#running.add(name);
  }

  #kill(name: string): void {
    this.#cluster.node(name).kill();
    this.#running.delete(name);
  }

  #joinAll(): void {
    const places = names.map((name) => this.#cluster.node(name).place);
    for (const name of this.#running)
      this.#cluster
        .node(name)
        .membership.join(places)
        .catch(() => {}); // cut off: later
  }

  #ifRunning<T>(name: string, work: (one: ReturnType<TestCluster["node"]>) => T): T | undefined {
    return this.#running.has(name) ? work(this.#cluster.node(name)) : undefined;
  }
}

function nameOf(index: number): string {
  return names[index] ?? "";
}

test("after any schedule of kills, restarts, leaves, partitions and weather, once all is whole all nodes agree", () => {
  fc.assert(
    fc.property(fc.integer(), steps, (seed, schedule) => {
      const run = new Run(seed);
      try {
        for (const step of schedule) run.do(step);
        run.agree();
      } finally {
        run.close();
      }
    }),
    { numRuns: 60, seed: 20260, endOnFailure: false },
  );
});

test("with nothing lost and nobody failing, nobody is suspected in one virtual hour of 100 nodes", () => {
  const timers = new VirtualTimers();
  const dice = seededDice(11);
  const network = new MemoryNetwork(timers, dice, { delay: [1, 20] });
  const records = Array.from({ length: 100 }, (_, i): MemberRecord => {
    const address = parseAddress(`10.1.0.${i}`);
    const versions = Uint8Array.of(1, 5, 2, 0, 0, 0);
    const addressBytes = addressToBytes(address);
    const rest = {
      port: 7946,
      meta: new Uint8Array(0),
      state: "alive",
      incarnation: 1,
      changedAt: 0,
    } as const;
    return { name: `n${i}`, address, addressBytes, versions, ...rest };
  });
  const log = { warn: () => {}, info: () => {} };
  const nodes = records.map((record) => {
    const transport = network.transport(record);
    return new Membership({
      name: record.name,
      transport,
      environment: { timers, dice, log },
      profile: lanProfile,
    });
  });
  for (const one of nodes) one.start(records);
  timers.advance(3600_000);
  for (const { counters } of nodes) {
    assert.ok(counters.probes >= 3599);
    assert.equal(counters.failedProbes, 0);
    assert.equal(counters.suspicions, 0);
    assert.equal(counters.refutations, 0);
  }
  for (const one of nodes) void one.close(); // closing in memory waits for nothing
});
