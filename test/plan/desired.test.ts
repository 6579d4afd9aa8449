import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError, parseAddress, parseMac } from "../../src/core/index.ts";
import { type Effect, identityOf, type KernelObject } from "../../src/kernel/index.ts";
import { type Changes, Desired } from "../../src/plan/desired.ts";
import { bridge, sysctl, wanted } from "./objects.ts";

const announce = (address: string): Effect => ({
  effect: "announce",
  netns: "host",
  link: "br0",
  mac: parseMac("02:00:00:00:00:01"),
  addresses: [parseAddress(address)],
});

const make = (desired: Desired, changes: Changes) => desired.accept(desired.propose(changes));
const br0 = identityOf(bridge());

test("an object exists while any owner wants it", () => {
  const desired = new Desired();
  make(
    desired,
    new Map([
      ["a", wanted(bridge())],
      ["b", wanted(bridge())],
    ]),
  );
  make(desired, new Map([["a", []]]));
  assert.deepEqual(desired.get(br0)?.object, bridge());
  assert.deepEqual([...desired.owners()], ["b"]);
  make(desired, new Map([["b", []]]));
  assert.equal(desired.get(br0), undefined);
  assert.deepEqual([...desired.identities(), ...desired.owners()], []);
});

test("two owners who want different values are a conflict, and nothing is changed", () => {
  const desired = new Desired();
  make(desired, new Map([["a", wanted(bridge("br0", { mtu: 1400 }))]]));
  const refused = (error: unknown) =>
    isWeftError(error, "OBJECT_CONFLICT") && error.message.includes("b and a");
  assert.throws(() => desired.propose(new Map([["b", wanted(sysctl("k", "1"), bridge())]])), refused);
  assert.deepEqual([...desired.identities()], [br0]);
  const both: Changes = new Map([
    ["a", wanted(bridge())],
    ["b", wanted(bridge())],
  ]);
  make(desired, both); // together they may
  assert.equal(desired.get(br0)?.owners.size, 2);
});

test("a proposal changes nothing until it is accepted, and names all that it touches", () => {
  const desired = new Desired();
  make(desired, new Map([["a", wanted(bridge("br0"), bridge("br1"))]]));
  const proposal = desired.propose(new Map([["a", wanted(bridge("br1"), bridge("br2"))]]));
  assert.deepEqual([...desired.identities()], [br0, identityOf(bridge("br1"))]);
  assert.deepEqual(
    [...proposal.entries.keys()].sort(),
    ["br0", "br1", "br2"].map((name) => identityOf(bridge(name))),
  );
  assert.equal(proposal.entries.get(br0), undefined);
});

test("what was accepted between proposing and accepting is kept", () => {
  const desired = new Desired();
  const slow = desired.propose(new Map([["a", wanted(bridge())]]));
  make(desired, new Map([["b", wanted(bridge())]]));
  desired.accept(slow);
  assert.deepEqual([...(desired.get(br0)?.owners.keys() ?? [])].sort(), ["a", "b"]);
  const late = desired.propose(new Map([["c", wanted(bridge("br1"))]]));
  make(desired, new Map([["d", wanted(bridge("br1", { mtu: 1 }))]]));
  assert.throws(
    () => desired.accept(late),
    (error) => isWeftError(error, "OBJECT_CONFLICT"),
  );
  assert.deepEqual(desired.wantedBy("c"), []);
});

test("an owner's effects go with it, and the same effect of two owners is one", () => {
  const desired = new Desired();
  const plan = (address: string) => [
    { object: bridge(), effects: [announce(address)], effectsWhenGone: [announce(address)] },
  ];
  make(
    desired,
    new Map([
      ["a", plan("10.0.0.1")],
      ["b", plan("10.0.0.1")],
    ]),
  );
  assert.equal(desired.get(br0)?.effects.length, 1);
  assert.equal(desired.get(br0)?.effectsWhenGone.length, 1);
  for (let again = 0; again < 3; again++) make(desired, new Map([["a", plan("10.0.0.2")]]));
  assert.deepEqual(desired.get(br0)?.effects, [announce("10.0.0.1"), announce("10.0.0.2")]);
  assert.deepEqual(desired.get(br0)?.effectsWhenGone, desired.get(br0)?.effects);
  make(desired, new Map([["a", []]]));
  assert.deepEqual(desired.get(br0)?.effects, [announce("10.0.0.1")]);
});

test("undoing a change gives back exactly what was wanted before", () => {
  const object: fc.Arbitrary<KernelObject> = fc.constantFrom(bridge("br0"), bridge("br1"), sysctl("k", "1"));
  const plan = fc.uniqueArray(object).map((objects) => wanted(...objects));
  const changes = fc
    .array(fc.tuple(fc.constantFrom("a", "b", "c"), plan))
    .map((pairs): Changes => new Map(pairs));
  const state = (desired: Desired) => ({
    owners: [...desired.owners()].sort().map((owner) => [owner, desired.wantedBy(owner)]),
    objects: [...desired.identities()]
      .sort()
      .map((one) => [one, [...(desired.get(one)?.owners.keys() ?? [])].sort()]),
  });
  fc.assert(
    fc.property(changes, changes, (first, second) => {
      const desired = new Desired();
      make(desired, first);
      const before = state(desired);
      make(desired, make(desired, second));
      assert.deepEqual(state(desired), before);
    }),
  );
});
