import assert from "node:assert/strict";
import { test } from "node:test";
import { identityOf, type KernelObject } from "../../src/kernel/index.ts";
import { isUnmarked, StoreJournal } from "../../src/plan/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import {
  address,
  adopted,
  bridge,
  element,
  file,
  held,
  netns,
  port,
  sandbox,
  sysctl,
  table,
  up,
  wanted,
} from "./objects.ts";
import { assertThere, newWorld, operations, refusing } from "./reconciler-fixture.ts";

const forward = (value: string) => sysctl("net/ipv4/conf/all/log_martians", value);

const standing = (world: ReturnType<typeof newWorld>, object: KernelObject) =>
  world.kernel.all().find((found) => identityOf(found.object) === identityOf(object))?.object;

test("what carries no mark is what has to be journaled", () => {
  const own = (link: string) => link === "br0";
  const journaled = [
    forward("1"),
    sysctl("k", "1", "eth9"),
    port("eth9"),
    address("eth9", "10.0.0.1/24"),
    up("eth9"),
  ];
  for (const object of journaled) assert.ok(isUnmarked(object, own), identityOf(object));
  const marked = [
    sysctl("k", "1", "br0"),
    address("br0", "10.0.0.1/24"),
    up("br0"),
    up("eth0", sandbox),
    bridge(),
    netns(),
    file("a", ""),
    port("br0"),
    table(),
    element("a"),
    held("a"),
  ];
  for (const object of marked) assert.ok(!isUnmarked(object, own), object.kind);
});

test("the former value is recorded before the write, and put back when the last owner goes", async () => {
  const world = newWorld();
  world.kernel.addForeign([forward("0")]);
  world.kernel.onOperation = ({ object }) => {
    if (object.kind === "sysctl" && object.value === "1")
      assert.deepEqual(world.journal.get(identityOf(object))?.former, forward("0"));
    return undefined;
  };
  await world.reconciler.change(
    new Map([
      ["a", wanted(forward("1"))],
      ["b", wanted(forward("1"))],
    ]),
  );
  assert.deepEqual(standing(world, forward("1")), forward("1"));
  await world.reconciler.takeDown(new Map([["a", []]]));
  assert.deepEqual(standing(world, forward("1")), forward("1"));
  await world.reconciler.takeDown(new Map([["b", []]]));
  assert.deepEqual(standing(world, forward("1")), forward("0"));
  assert.deepEqual([...world.journal.entries()], []);
});

test("an adopted link gets its address and its state back", async () => {
  const world = newWorld();
  const before = [adopted("eth9"), address("eth9", "10.0.0.1/24")];
  world.kernel.addForeign(before);
  const plan = wanted(
    adopted("eth9"),
    address("eth9", "10.0.0.1/24"),
    address("eth9", "10.9.0.1/24"),
    up("eth9"),
  );
  await world.reconciler.change(new Map([["a", plan]]));
  assertThere(world, ...plan.map(({ object }) => object));
  const { removed } = await world.reconciler.takeDown(new Map([["a", []]]));
  await removed;
  assertThere(world, ...before);
  assert.deepEqual([...world.journal.entries()], []);
});

test("what stands on a link that the same change makes is not journaled", async () => {
  const world = newWorld();
  await world.reconciler.change(
    new Map([["a", wanted(bridge(), address("br0", "10.0.0.1/24"), up("br0"), sysctl("k", "1", "br0"))]]),
  );
  assert.deepEqual([...world.journal.entries()], []);
});

test("a change that was refused leaves nothing in the journal", async () => {
  const world = newWorld();
  for (const fails of ["link", "sysctl", "nft-table"]) {
    const error = refusing(world, ({ object, op }) => op === "create" && object.kind === fails);
    await assert.rejects(
      world.reconciler.change(new Map([["a", wanted(bridge(), forward("1"), table())]])),
      error,
    );
    assert.deepEqual([...world.journal.entries()], [], fails);
    assert.deepEqual(
      operations(world).filter((one) => one.includes("sysctl")).length % 2,
      0,
      "written and put back",
    );
  }
});

test("a crash between journal and write is put right at the next start", async () => {
  const world = newWorld();
  world.kernel.addForeign([forward("0")]);
  world.kernel.apply = () => new Promise(() => {}); // the process dies here
  void world.reconciler.change(new Map([["a", wanted(forward("1"))]]));
  while ([...world.journal.entries()].length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { kernel } = newWorld();
  kernel.addForeign([forward("1")]); // had it been written
  const next = newWorld(kernel, world.store);
  assert.deepEqual((await next.reconciler.sync()).failures, []);
  assert.deepEqual(standing(next, forward("1")), forward("0"));
  assert.deepEqual([...next.journal.entries()], []);
});

test("a restart keeps the value from before the first start", async () => {
  const world = newWorld();
  world.kernel.addForeign([forward("0")]);
  await world.reconciler.change(new Map([["a", wanted(forward("1"))]]));
  const next = world.restarted();
  next.reconciler.stage(new Map([["a", wanted(forward("1"))]]));
  await next.reconciler.sync();
  await next.reconciler.takeDown(new Map([["a", []]]));
  assert.deepEqual(standing(next, forward("1")), forward("0"));
});

test("where the place of a former value is gone, there is nothing to put back", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9"), sysctl("k", "0", "eth9")]);
  const other = wanted(bridge());
  await world.reconciler.change(
    new Map([
      ["a", wanted(sysctl("k", "1", "eth9"))],
      ["b", other],
    ]),
  );
  world.kernel.removeForeign([adopted("eth9")]);
  const { removed } = await world.reconciler.change(
    new Map([
      ["a", []],
      ["b", wanted(bridge("br1"))],
    ]),
  );
  await removed;
  assert.deepEqual([...world.journal.entries()], []);
  assertThere(world, bridge("br1"));
});

test("the journal holds one durable entry an identity, whatever characters that has", async () => {
  const store = new MemoryStore();
  const journal = new StoreJournal(store);
  const odd = file("näme with ümläuts/and spaces", "");
  await journal.record([
    { object: odd, former: null },
    { object: forward("1"), former: forward("0") },
  ]);
  await journal.record([{ object: odd, former: null }]);
  const again = new StoreJournal(store);
  assert.deepEqual(again.get(identityOf(odd)), { object: odd, former: null });
  assert.equal([...again.entries()].length, 2);
  await again.forget([identityOf(odd)]);
  assert.deepEqual(
    [...journal.entries()].map(({ former }) => former),
    [forward("0")],
  );
});

test("what is about another host, or about this one before it was booted, is forgotten", async () => {
  const store = new MemoryStore();
  const former = (value: string) => ({ object: forward("1"), former: forward(value) });
  await new StoreJournal(store).record([former("0")]); // by a weft that did not say which host it was
  const journal = new StoreJournal(store);
  await journal.beginOn("first boot");
  assert.deepEqual([...journal.entries()], [former("0")]);
  const same = new StoreJournal(store);
  await same.beginOn("first boot");
  assert.deepEqual([...same.entries()], [former("0")]);
  const next = new StoreJournal(store);
  await next.beginOn("second boot");
  assert.deepEqual([...next.entries()], []);
  await next.record([former("1")]);
  assert.deepEqual(next.get(identityOf(forward("1"))), former("1"));
  await next.beginOn("second boot");
  assert.deepEqual([...next.entries()], [former("1")]);
});

/** A bridge of weft's with a port that is somebody else's link. */
const lent = wanted(bridge(), adopted("eth9"), port("eth9"), up("eth9"));

test("a link that was lent to a bridge is taken out and forgotten before the bridge goes", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  assert.deepEqual(
    [...world.journal.entries()],
    [
      { object: port("eth9"), former: null },
      { object: up("eth9"), former: null },
    ],
  );
  const done = world.kernel.operations.length;
  const { removed } = await world.reconciler.takeDown(new Map([["a", []]]));
  assert.deepEqual([...world.journal.entries()], []);
  await removed;
  const undone = world.kernel.operations.slice(done).map(({ op, object }) => `${op} ${identityOf(object)}`);
  assert.deepEqual(undone, [
    "delete up host eth9",
    "delete port host eth9",
    "delete link host br0",
    "delete link host eth9",
  ]);
  assertThere(world, adopted("eth9"));
});

test("a link goes back to the bridge that it was a port of", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9"), bridge("theirs"), port("eth9", "theirs"), up("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  assert.deepEqual(standing(world, port("eth9")), port("eth9"));
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, adopted("eth9"), bridge("theirs"), port("eth9", "theirs"), up("eth9"));
});

test("where somebody has put a lent link meanwhile, there it stays", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  world.kernel.addForeign([bridge("theirs"), port("eth9", "theirs")]);
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, adopted("eth9"), bridge("theirs"), port("eth9", "theirs"));
  assert.deepEqual([...world.journal.entries()], []);
});

test("a lent link that was about to be taken in when the process died is let go of by the next start", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  const next = world.restarted();
  const { failures } = await next.reconciler.sync();
  assert.deepEqual(failures, []);
  assertThere(next, adopted("eth9"));
  assert.deepEqual([...next.journal.entries()], []);
});

/** The person's card comes back, and is brought up by hand. */
const cardComesBack = (world: ReturnType<typeof newWorld>) =>
  world.kernel.addForeign([adopted("eth9"), up("eth9")]);

test("what is given up after its link has gone is forgotten, and a link of that name that comes is left alone", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  world.kernel.removeForeign([adopted("eth9")]);
  await world.reconciler.sync();
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assert.deepEqual([...world.journal.entries()], []);
  cardComesBack(world);
  assert.deepEqual((await world.reconciler.sync()).failures, []);
  assertThere(world, adopted("eth9"), up("eth9"));
});

test("a link that was pulled out and put in again is left as it came", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  world.kernel.removeForeign([adopted("eth9")]);
  await world.reconciler.sync();
  assert.deepEqual([...world.journal.entries()], []);
  cardComesBack(world);
  await world.reconciler.sync();
  assertThere(world, ...lent.map(({ object }) => object));
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, adopted("eth9"), up("eth9"));
});

test("a card that comes back down is brought up by weft, and down again", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  world.kernel.removeForeign([adopted("eth9")]);
  await world.reconciler.sync();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.sync();
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, adopted("eth9"));
  assert.deepEqual([...world.journal.entries()], []);
});

test("a state that somebody ended and that could not be made again is forgotten when it is given up", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  await world.reconciler.change(new Map([["a", lent]]));
  world.kernel.removeForeign([up("eth9")]);
  refusing(world, ({ op, object }) => op === "create" && object.kind === "up");
  assert.equal((await world.reconciler.sync()).failures.length, 1);
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assert.deepEqual([...world.journal.entries()], []);
  world.kernel.addForeign([up("eth9")]);
  await world.reconciler.sync();
  assertThere(world, adopted("eth9"), up("eth9"));
});

test("a bridge of somebody else's that goes takes what is remembered of it along", async () => {
  const world = newWorld();
  const theirs = wanted(adopted("br9"), address("br9", "10.9.0.1/24"), sysctl("k", "1", "br9"), up("br9"));
  world.kernel.addForeign([adopted("br9")]);
  await world.reconciler.change(new Map([["a", theirs]]));
  assert.equal([...world.journal.entries()].length, 3);
  world.kernel.removeForeign([adopted("br9")]);
  await world.reconciler.sync();
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assert.deepEqual([...world.journal.entries()], []);
});

test("what the kernel broke off before it told of it is put back when it is given up", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9")]);
  const { apply, read } = world.kernel;
  world.reconciler.stage(new Map([["a", lent]]));
  let broken = false;
  world.kernel.apply = async (operations) => {
    await apply.call(world.kernel, operations);
    broken = true;
    throw new Error("broken off");
  };
  world.kernel.read = (query) =>
    broken ? Promise.reject(new Error("still broken")) : read.call(world.kernel, query);
  await world.reconciler.sync();
  Object.assign(world.kernel, { apply, read });
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assert.equal(standing(world, up("eth9")), undefined);
  assert.equal(standing(world, port("eth9")), undefined);
});

test("a link that was up before a crash came between a record and the journal stays up", async () => {
  const world = newWorld();
  world.kernel.addForeign([adopted("eth9"), up("eth9")]);
  world.reconciler.stage(new Map([["a", wanted(adopted("eth9"), up("eth9"))]]));
  await world.reconciler.sync();
  await (await world.reconciler.takeDown(new Map([["a", []]]))).removed;
  assertThere(world, adopted("eth9"), up("eth9"));
});
