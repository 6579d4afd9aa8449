import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Identity,
  identityOf,
  linkIdentity,
  netnsIdentityOf,
  takenAlongBy,
  takesAlong,
} from "../../src/kernel/index.ts";
import { Belief } from "../../src/plan/belief.ts";
import { diff, type Step } from "../../src/plan/diff.ts";
import {
  comparePlanned,
  containersOfPlanned,
  identityOfPlanned,
  type PlannedObject,
} from "../../src/plan/object.ts";
import { deletionRankOfObject, heldRanks, type Ranks, rankOfObject } from "../../src/plan/rank.ts";
import {
  address,
  adopted,
  bridge,
  element,
  held,
  macvlan,
  netns,
  port,
  route,
  sandbox,
  sysctl,
  table,
  up,
  veth,
  vlan,
} from "./objects.ts";

const ranks: Ranks = {
  creation: (object) => (object.kind === "held" ? heldRanks.listener : rankOfObject(object)),
  deletion: (object) => (object.kind === "held" ? heldRanks.listener : deletionRankOfObject(object)),
};

function compareAll(found: readonly PlannedObject[], wanted: readonly PlannedObject[]) {
  const belief = new Belief();
  for (const object of found) belief.add(object);
  const plan = new Map(wanted.map((object) => [identityOfPlanned(object), { object, effects: [] }]));
  const all = [...belief.identities(), ...plan.keys()];
  return diff(all, (identity) => plan.get(identity), belief, ranks);
}

const told = (steps: readonly Step[]) => steps.map(({ step, identity }) => `${step} ${identity}`);
const is = (step: string, object: PlannedObject) => `${step} ${identityOfPlanned(object)}`;

test("links on links are made from the wire up, and what answers there is deleted before its namespace", () => {
  const inside = address("eth0", "10.0.0.2/24", sandbox);
  const objects = [inside, macvlan("bridge", "eth9.10"), vlan(10), adopted("eth9"), netns()];
  const made = [netns(), adopted("eth9"), vlan(10), macvlan("bridge", "eth9.10"), inside];
  assert.deepEqual(
    told(compareAll([], objects).creations),
    made.map((object) => is("create", object)),
  );
  const left = compareAll(objects, [adopted("eth9"), vlan(10)]);
  assert.deepEqual(told(left.deletions), [is("delete", macvlan("bridge", "eth9.10")), is("delete", netns())]);
  const gone = compareAll(objects, [adopted("eth9"), netns()]);
  assert.deepEqual(told(gone.deletions), [is("delete", vlan(10))]);
});

test("a VLAN that is made anew takes along what stands on it, which is made anew too", () => {
  const rest = [netns(), adopted("eth9"), macvlan("bridge", "eth9.10")];
  const other = { ...vlan(10), spec: { type: "vlan", parent: "eth9", id: 11, protocol: "802.1Q" } } as const;
  const { deletions, creations } = compareAll([...rest, other], [...rest, vlan(10)]);
  assert.deepEqual(told(deletions), [is("delete", vlan(10))]);
  assert.deepEqual(told(creations), [is("create", vlan(10)), is("create", macvlan("bridge", "eth9.10"))]);
});

test("what is there and right needs no step", () => {
  const objects = [
    bridge("br0", { mtu: 1400 }),
    address("br0", "10.0.0.1/24"),
    table(),
    element("br0"),
    held("a"),
  ];
  const { deletions, creations } = compareAll(objects, objects);
  assert.deepEqual([...deletions, ...creations], []);
});

test("values that a plan leaves open may be anything", () => {
  const { deletions, creations } = compareAll([bridge("br0", { mtu: 1400, alias: "x" })], [bridge()]);
  assert.deepEqual([...deletions, ...creations], []);
});

test("what goes along with a deleted container is not deleted by itself", () => {
  const found = [
    netns(),
    up("lo", sandbox),
    veth(),
    up("veth0"),
    port(),
    address("eth0", "10.0.0.2/24", sandbox),
    table(sandbox),
    element("a", sandbox),
  ];
  const { deletions, implied } = compareAll(found, []);
  assert.deepEqual(told(deletions), [is("delete", veth()), is("delete", netns())]);
  assert.equal(implied.size, 6);
});

test("what lives in an adopted link is deleted, for the link stays", () => {
  const found = [adopted("eth9"), address("eth9", "10.0.0.1/24"), up("eth9")];
  const { deletions } = compareAll(found, []);
  assert.deepEqual(
    told(deletions),
    found.toReversed().map((object) => is("delete", object)),
  );
});

test("the table in a namespace that a runtime made is deleted, and its lo stays up", () => {
  const place = { kind: "netns", netns: sandbox, from: "/proc/7/ns/net" } as const;
  const { deletions } = compareAll([place, up("lo", sandbox), table(sandbox), element("a", sandbox)], []);
  assert.deepEqual(told(deletions), [is("delete", table(sandbox)), is("delete", place)]);
});

test("a link that is made anew is made with all that was on it", () => {
  const before = bridge("br0", { spec: { type: "unknown" } });
  const rest = [address("br0", "10.0.0.1/24"), up("br0")];
  const { deletions, creations } = compareAll([before, ...rest], [bridge(), ...rest]);
  assert.deepEqual(told(deletions), [is("delete", before)]);
  assert.deepEqual(
    told(creations),
    [bridge(), ...rest].map((object) => is("create", object)),
  );
});

test("a table that is rebuilt gets its elements anew in the same run of steps", () => {
  const { deletions, creations } = compareAll(
    [table(), element("a"), element("b")],
    [table("host", "second"), element("b"), element("c")],
  );
  assert.deepEqual(deletions, []); // a goes with the old table
  assert.deepEqual(
    told(creations),
    [is("change", table()), is("create", element("c")), is("create", element("b"))].sort((a, b) =>
      a < b ? -1 : 1,
    ),
  );
});

test("a held object is given back before what it is within goes, and acquired anew after", () => {
  const socket = held("socket", { within: [identityOf(bridge())] });
  const { deletions, creations } = compareAll(
    [bridge("br0", { spec: { type: "unknown" } }), socket],
    [bridge(), socket],
  );
  assert.deepEqual(told(deletions), [is("delete", socket), is("delete", bridge())]);
  assert.deepEqual(told(creations), [is("create", bridge()), is("create", socket)]);
});

test("a route changes its link in place while the former link goes", () => {
  const found = [netns(), veth("veth0", "eth0"), veth("veth1", "eth1"), route("eth0", "10.0.0.1")];
  const { deletions, creations } = compareAll(found, [
    netns(),
    veth("veth1", "eth1"),
    route("eth1", "10.1.0.1"),
  ]);
  assert.deepEqual(
    told(creations).map((one) => one.split(" ").slice(1).join(" ")),
    [identityOf(route("eth1", "10.1.0.1"))],
  );
  assert.deepEqual(
    told(deletions).filter((one) => one.includes("link")),
    [is("delete", veth("veth0"))],
  );
});

/** A world small enough that its objects meet: each identity in a few values. */
const choices: readonly (readonly PlannedObject[])[] = [
  [netns()],
  [bridge(), bridge("br0", { mtu: 1400 }), bridge("br0", { spec: { type: "unknown" } })],
  [veth(), bridge("veth0", { spec: { type: "unknown" } })],
  [adopted("eth9")],
  [address("br0", "10.0.0.1/24")],
  [address("eth9", "10.9.0.1/24")],
  [address("eth0", "10.0.0.2/24", sandbox)],
  [up("br0")],
  [up("lo", sandbox)],
  [port()],
  [route("eth0", "10.0.0.1"), route("eth0", "10.0.0.3")],
  [sysctl("net/ipv4/conf/all/log_martians", "1"), sysctl("net/ipv4/conf/all/log_martians", "0")],
  [sysctl("net/ipv6/conf/br0/accept_ra", "0", "br0")],
  [table(), table("host", "second")],
  [element("a")],
  [table(sandbox)],
  [element("a", sandbox)],
  [
    held("a", { within: [netnsIdentityOf(sandbox)] }),
    held("a", { within: [netnsIdentityOf(sandbox)], spec: 1 }),
  ],
];
const world = fc
  .tuple(...choices.map((values) => fc.option(fc.constantFrom(...values), { nil: undefined })))
  .map((objects) => withContainers(objects.flatMap((object) => (object === undefined ? [] : [object]))));

/** Without what has nothing to live in: no plan and no host holds that. */
function withContainers(objects: readonly PlannedObject[]): readonly PlannedObject[] {
  const there = new Set<Identity>(objects.map(identityOfPlanned));
  const pair = objects.find((object) => object.kind === "link" && object.spec.type === "veth");
  if (pair !== undefined) there.add(linkIdentity(sandbox, "eth0"));
  const kept = objects.filter((object) => containersOfPlanned(object).every((one) => there.has(one)));
  return kept.length === objects.length ? kept : withContainers(kept);
}

/** What carrying out the steps leaves, by the rules of containment alone. */
function carryOut(found: readonly PlannedObject[], steps: readonly Step[]): Map<Identity, PlannedObject> {
  const model = new Map(found.map((object) => [identityOfPlanned(object), object]));
  const remove = (identity: Identity) => {
    const gone = model.get(identity);
    model.delete(identity);
    if (gone === undefined || gone.kind === "held") return;
    const names = [
      identity,
      ...(gone.kind === "link" && gone.spec.type === "veth" ? [linkIdentity(sandbox, "eth0")] : []),
    ];
    for (const [one, object] of [...model])
      if (
        object.kind !== "held" &&
        takesAlong(gone, object) &&
        takenAlongBy(object).some((name) => names.includes(name))
      )
        remove(one);
  };
  for (const step of steps) {
    if (step.step === "create") assert.ok(!model.has(step.identity), `${step.identity} is there`);
    else assert.ok(model.has(step.identity), `${step.identity} is gone`);
    if (step.step === "delete" || step.object.kind === "nft-table") remove(step.identity);
    if (step.step !== "delete") model.set(step.identity, step.object);
  }
  return model;
}

test("carrying out the steps gives exactly what is wanted, and then there is nothing to do", () => {
  fc.assert(
    fc.property(world, world, (found, wanted) => {
      const { deletions, creations } = compareAll(found, wanted);
      const model = carryOut(found, [...deletions, ...creations]);
      assert.deepEqual([...model.keys()].sort(), wanted.map(identityOfPlanned).sort());
      for (const object of wanted) {
        const there = model.get(identityOfPlanned(object));
        assert.ok(there !== undefined && comparePlanned(object, there) === "none");
      }
      const again = compareAll([...model.values()], wanted);
      assert.deepEqual([...again.deletions, ...again.creations], []);
    }),
    { numRuns: 500 },
  );
});

test("deletions descend in rank and creations ascend", () => {
  fc.assert(
    fc.property(world, world, (found, wanted) => {
      const { deletions, creations } = compareAll(found, wanted);
      const going = deletions.map(({ object }) => ranks.deletion(object));
      const coming = creations.map(({ object }) => ranks.creation(object));
      assert.deepEqual(
        going,
        going.toSorted((a, b) => b - a),
      );
      assert.deepEqual(
        coming,
        coming.toSorted((a, b) => a - b),
      );
    }),
  );
});
