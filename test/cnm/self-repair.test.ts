import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostChange } from "../../src/facts/index.ts";
import { hostNetns } from "../../src/kernel/index.ts";
import { TwinFacts } from "./twin-host.ts";
import { type World, withTwin } from "./world.ts";

const flushed: HostChange = { change: "rules", tables: [], ours: true, chains: true, program: "nft" };
const elsewhere: HostChange = { change: "rules", tables: [], ours: false, chains: true, program: "iptables" };

function factsOf(world: World): TwinFacts {
  const { facts } = world.bare;
  assert.ok(facts instanceof TwinFacts);
  return facts;
}

/** Lets what was told be worked off. */
async function workOff(world: World): Promise<void> {
  world.clock.wakeAll();
  await world.settle();
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const repaired = (world: World) => world.events.filter(({ event }) => event === "repaired");

const withNetwork = (work: (world: World) => Promise<void>) =>
  withTwin(
    async (world) => {
      await world.controller.createNetwork("bridge", "n1");
      await work(world);
    },
    { selfRepair: true },
  );

test("what somebody took away is put back, counted, and told with who did it", () =>
  withNetwork(async (world) => {
    world.hand.flushNftables();
    factsOf(world).changeHost(flushed);
    await workOff(world);
    assert.deepEqual(await world.controller.drift(), []);
    const [event] = repaired(world);
    assert.ok(event?.event === "repaired");
    assert.equal(event.by, "nft");
    assert.ok(event.what.includes("nft-table host inet weft"));
    assert.deepEqual(event.failures, []);
    const { repairs, repairedObjects } = world.controller.repairs;
    assert.deepEqual([repairs, repairedObjects], [1, event.what.length]);
  }));

test("a change that disturbs nothing is no repair", () =>
  withNetwork(async (world) => {
    factsOf(world).changeHost(flushed);
    factsOf(world).changeHost({ change: "links", links: ["br-n1"] });
    factsOf(world).changeHost({ change: "unknown" });
    await workOff(world);
    assert.deepEqual(repaired(world), []);
  }));

test("many changes at once are one repair, and who fights over rules is answered every half second", () =>
  withNetwork(async (world) => {
    const before = world.clock.sleeps.length;
    for (let round = 0; round < 9; round++) {
      world.hand.flushNftables();
      for (let i = 0; i < 3; i++) factsOf(world).changeHost(flushed);
      await workOff(world);
    }
    assert.equal(world.controller.repairs.repairs, 9);
    const waits = world.clock.sleeps.slice(before).filter((ms) => ms >= 50);
    assert.deepEqual(waits, [50, 100, 200, 400, 500, 500, 500, 500, 500]);
  }));

test("who fights over links is answered ever more slowly, and delays no repair of rules", () =>
  withNetwork(async (world) => {
    const bridge = () => `br-${world.controller.network("n1").id.slice(0, 12)}`;
    const before = world.clock.sleeps.length;
    for (let round = 0; round < 10; round++) {
      world.hand.deleteLink(bridge());
      factsOf(world).changeHost({ change: "links", links: [bridge()] });
      await workOff(world);
    }
    const waits = () => world.clock.sleeps.slice(before).filter((ms) => ms >= 50);
    assert.deepEqual(waits(), [50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    world.hand.flushNftables();
    factsOf(world).changeHost(flushed);
    await workOff(world);
    assert.equal(waits().at(-1), 50);
    assert.deepEqual(await world.controller.drift(), []);
  }));

test("what is told while a controller opens is seen to once the host is as the records say", () =>
  withNetwork(async (world) => {
    const facts = factsOf(world);
    const follow = facts.followHost.bind(facts);
    facts.followHost = (listener) => {
      listener(flushed);
      return follow(listener);
    };
    const events = world.events.length;
    await world.restart();
    await workOff(world);
    assert.deepEqual(await world.controller.drift(), []);
    assert.deepEqual(world.events.slice(events), []);
  }));

test("a firewall that comes is passed while there is a network, and left alone when it is gone", () =>
  withNetwork(async (world) => {
    const facts = factsOf(world);
    const chain = { family: "ip", table: "filter", chain: "FORWARD" } as const;
    const rule = { kind: "accept-rule", netns: hostNetns, ...chain } as const;
    const rules = () => world.twin.all().filter(({ object }) => object.kind === "accept-rule");
    world.twin.addForeignChains([{ netns: hostNetns, ...chain }]);
    facts.foreignChains = [{ ...chain, drops: false }];
    facts.changeHost(elsewhere);
    await workOff(world);
    assert.deepEqual(rules(), []);
    facts.foreignChains = [{ ...chain, drops: true }];
    facts.changeHost(elsewhere);
    await workOff(world);
    assert.deepEqual(
      rules().map(({ object }) => object),
      [rule],
    );
    await world.controller.network("n1").delete();
    await world.settle();
    assert.deepEqual(rules(), []);
    await world.controller.createNetwork("bridge", "n2");
    assert.equal(rules().length, 1);
    await world.restart();
    assert.equal(rules().length, 1);
    assert.deepEqual(await world.controller.drift(), []);
  }));

test("when nothing more is told, that is told", () =>
  withNetwork(async (world) => {
    const error = new Error("no more");
    // A WeftError in truth; what it says is all that counts.
    factsOf(world).changeHost({ change: "ended", error: error as never });
    assert.ok(world.events.some((event) => event.event === "follow-failed" && event.error === error));
  }));
