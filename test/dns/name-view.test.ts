import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes, type Family, parseAddress } from "../../src/core/index.ts";
import { NameTable } from "../../src/dns/name-table.ts";
import { createView, type NameView } from "../../src/dns/name-view.ts";
import { addresses, idOf } from "./samples.ts";

const front = { id: idOf(1), name: "front" };
const back = { id: idOf(2), name: "Back.End" };
const end = { id: idOf(3), name: "end" };
const hidden = { id: idOf(4), name: "hidden" };

function filled(): NameTable {
  const table = new NameTable();
  table.publish(front.id, idOf(11), { names: ["web", "front-only"], addresses: addresses("10.1.0.1") });
  table.publish(back.id, idOf(12), { names: ["web"], addresses: addresses("10.2.0.1", "fd02::1") });
  table.publish(back.id, idOf(13), { names: ["whole.front"], addresses: addresses("10.2.0.2") });
  table.publish(end.id, idOf(14), { names: ["Db.back"], addresses: addresses("10.3.0.1") });
  table.publish(back.id, idOf(15), { names: ["db"], addresses: addresses("10.2.0.3") });
  table.publish(front.id, idOf(16), { names: ["whole"], addresses: addresses("10.1.0.2") });
  table.publish(hidden.id, idOf(17), { names: ["secret"], addresses: addresses("10.4.0.1") });
  table.publish(end.id, idOf(18), { names: ["only.back"], addresses: addresses("fd03::1") });
  table.publish(back.id, idOf(19), { names: ["only"], addresses: addresses("10.2.0.4") });
  return table;
}

function texts(view: NameView, name: string, family: Family): readonly string[] | undefined {
  return view.addresses(name, family)?.map(addressFromBytes);
}

test("names are looked up whole, then in the network their end names", () => {
  const view = createView(filled(), [front, back, end]);
  const table: readonly (readonly [name: string, v4: readonly string[] | undefined, why: string])[] = [
    ["web", ["10.1.0.1"], "the first network that has it"],
    ["web.back.end", ["10.2.0.1"], "scoped, and the network's name has capitals and a dot"],
    ["web.front", ["10.1.0.1"], "scoped to the first"],
    ["front-only.back.end", undefined, "scoped to a network that has it not"],
    ["whole.front", ["10.2.0.2"], "a name with a dot goes before a scope"],
    ["db.back.end", ["10.3.0.1"], "db.back in end goes before db in back.end"],
    ["db.back", ["10.3.0.1"], "whole in a later network"],
    ["only.back.end", [], "known in end without the family: not looked for further"],
    ["secret", undefined, "a network that is not in the view"],
    ["secret.hidden", undefined, "scoped to it"],
    ["front", undefined, "a network is no name"],
    [".front", undefined, "nothing before the scope"],
    ["xfront", undefined, "no dot before the scope"],
    ["", undefined, "the root"],
  ];
  for (const [name, v4, why] of table) assert.deepEqual(texts(view, name, 4), v4, `${name}: ${why}`);
});

test("a family that the first network lacks is found in a later one", () => {
  const view = createView(filled(), [front, back]);
  assert.deepEqual(texts(view, "web", 6), ["fd02::1"]);
  assert.deepEqual(texts(view, "front-only", 6), []);
});

test("the order of the networks decides", () => {
  const view = createView(filled(), [back, front]);
  assert.deepEqual(texts(view, "web", 4), ["10.2.0.1"]);
});

test("networks of one name are one scope", () => {
  const table = filled();
  const twin = { id: idOf(5), name: "front" };
  table.publish(twin.id, idOf(20), { names: ["web", "twin"], addresses: addresses("10.5.0.1", "fd05::1") });
  const other = { id: idOf(6), name: "other" };
  const view = createView(table, [front, other, twin]);
  assert.deepEqual(texts(view, "web.front", 4), ["10.1.0.1"]);
  assert.deepEqual(texts(view, "web.front", 6), ["fd05::1"]);
  assert.deepEqual(texts(view, "twin.front", 4), ["10.5.0.1"]);
});

test("an address has a name in the first network that knows it", () => {
  const view = createView(filled(), [front, back]);
  assert.deepEqual(view.pointers(parseAddress("10.2.0.1")), ["web.Back.End", "web"]);
  assert.deepEqual(view.pointers(parseAddress("fd02::1")), ["web.Back.End", "web"]);
  assert.deepEqual(view.pointers(parseAddress("10.4.0.1")), []);
});

test("a link stands for a name in a network, before names, in its network and its sandbox alone", () => {
  const table = filled();
  const networks = [front, back];
  const links = [
    { alias: "Db", network: front.id, name: "Front-Only" },
    { alias: "web", network: back.id, name: "whole.front" },
    { alias: "gone", network: front.id, name: "nobody" },
    { alias: "elsewhere", network: hidden.id, name: "secret" },
    { alias: "bad..name", network: front.id, name: "web" },
    { alias: "whole", network: front.id, name: "bad..name" },
    { alias: "second", network: front.id, name: "db" },
  ];
  const view = createView(table, networks, links);
  const cases: readonly (readonly [name: string, v4: readonly string[] | undefined, why: string])[] = [
    ["db", ["10.1.0.1"], "before the name in a later network"],
    ["db.front", ["10.1.0.1"], "scoped to the link's network"],
    ["db.back.end", ["10.2.0.3"], "scoped to another: the name there"],
    ["web", ["10.2.0.2"], "a link in a later network goes before a name in an earlier one"],
    ["web.front", ["10.1.0.1"], "scoped away from the link"],
    ["gone", undefined, "a name that nobody bears"],
    ["elsewhere", undefined, "a network that is not in the view"],
    ["front-only", ["10.1.0.1"], "names as ever"],
    ["whole", ["10.1.0.2"], "the name itself, for nobody can bear what its link leads to"],
    ["second", undefined, "a link to a link"],
  ];
  for (const [name, v4, why] of cases) assert.deepEqual(texts(view, name, 4), v4, `${name}: ${why}`);
  assert.deepEqual(texts(view, "web", 6), [], "the name's own addresses are hidden");
  assert.deepEqual(texts(createView(table, networks), "db", 4), ["10.2.0.3"], "another sandbox");
  table.withdraw(front.id, idOf(11));
  assert.deepEqual(
    texts(view, "db", 4),
    ["10.2.0.3"],
    "the network's own db, while nobody bears the link's name",
  );
  table.publish(front.id, idOf(31), { names: ["front-only"], addresses: addresses("10.1.0.9") });
  assert.deepEqual(texts(view, "db", 4), ["10.1.0.9"], "another endpoint that bears the name");
});

test("of several links of one name the first network's goes first", () => {
  const table = filled();
  const links = [
    { alias: "x", network: back.id, name: "web" },
    { alias: "x", network: front.id, name: "web" },
  ];
  const view = createView(table, [front, back], links);
  assert.deepEqual(texts(view, "x", 4), ["10.1.0.1"]);
  assert.deepEqual(texts(view, "x", 6), ["fd02::1"], "the first with an address of the family");
});

test("what lies under a network's name is known to be ours", () => {
  const view = createView(filled(), [front, back, { id: idOf(7), name: "bad..name" }]);
  for (const name of ["front", "x.front", "y.x.front", "back.end", "x.back.end"]) {
    assert.equal(view.underNetwork(name), true, name);
  }
  for (const name of ["end", "x.end", "xfront", "front.x", "x.bad..name", ""]) {
    assert.equal(view.underNetwork(name), false, name);
  }
});

test("every split of a name is tried from the right, as by the plain rule", () => {
  const names = ["a", "b", "a.b", "b.a", "a.b.a"];
  const networks = names.map((name, i) => ({ id: idOf(i), name }));
  const entry = fc.record({ at: fc.nat(networks.length - 1), name: fc.constantFrom(...names) });
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 8 }),
      fc.shuffledSubarray(networks),
      fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 5 }),
      (entries, seen, labels) => {
        const table = new NameTable();
        for (const [i, { at, name }] of entries.entries()) {
          table.publish(idOf(at), idOf(100 + i), { names: [name], addresses: addresses(`10.0.${at}.${i}`) });
        }
        const found = createView(table, seen).addresses(labels.join("."), 4);
        assert.deepEqual(found, plainRule(table, seen, labels));
      },
    ),
    { numRuns: 500 },
  );
});

function plainRule(
  table: NameTable,
  seen: readonly { id: ReturnType<typeof idOf>; name: string }[],
  labels: readonly string[],
) {
  for (let cut = labels.length; cut > 0; cut--) {
    const [name, scope] = [labels.slice(0, cut).join("."), labels.slice(cut).join(".")];
    for (const network of seen) {
      if (scope !== "" && scope !== network.name) continue;
      const found = table.addresses(network.id, name, 4);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
