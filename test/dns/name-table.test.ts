import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes, type Family, familyOf, type Id, parseAddress } from "../../src/core/index.ts";
import { NameTable, type Publication } from "../../src/dns/name-table.ts";
import { addresses, idOf } from "./samples.ts";

const [net1, net2, web1, web2] = [idOf(1), idOf(2), idOf(11), idOf(12)];

function texts(table: NameTable, network: Id, name: string, family: Family): readonly string[] | undefined {
  return table.addresses(network, name, family)?.map(addressFromBytes).sort();
}

test("a name has the addresses of all its owners, until they are withdrawn", () => {
  const table = new NameTable();
  table.publish(net1, web1, { names: ["Web", "first"], addresses: addresses("10.0.0.1", "fd00::1") });
  table.publish(net1, web2, { names: ["web"], addresses: addresses("10.0.0.2") });
  assert.deepEqual(texts(table, net1, "web", 4), ["10.0.0.1", "10.0.0.2"]);
  assert.deepEqual(texts(table, net1, "web", 6), ["fd00::1"]);
  assert.deepEqual(texts(table, net1, "first", 4), ["10.0.0.1"]);
  assert.equal(texts(table, net2, "web", 4), undefined);
  table.withdraw(net1, web1);
  table.withdraw(net1, web1);
  assert.deepEqual(texts(table, net1, "web", 4), ["10.0.0.2"]);
  assert.deepEqual(texts(table, net1, "web", 6), []);
  assert.equal(texts(table, net1, "first", 4), undefined);
  table.withdraw(net1, web2);
  assert.equal(texts(table, net1, "web", 4), undefined);
  assert.deepEqual(table.size, { networks: 0, endpoints: 0 });
});

test("publishing again replaces what was published", () => {
  const table = new NameTable();
  table.publish(net1, web1, { names: ["old", "kept"], addresses: addresses("10.0.0.1") });
  table.publish(net1, web1, { names: ["kept", "new"], addresses: addresses("10.0.0.9") });
  assert.equal(texts(table, net1, "old", 4), undefined);
  assert.deepEqual(texts(table, net1, "kept", 4), ["10.0.0.9"]);
  assert.deepEqual(texts(table, net1, "new", 4), ["10.0.0.9"]);
  assert.equal(table.nameOf(net1, parseAddress("10.0.0.1")), undefined);
  assert.equal(table.nameOf(net1, parseAddress("10.0.0.9")), "kept");
});

test("an address has the first name of its first owner that has one, as it was spelled", () => {
  const table = new NameTable();
  const shared = addresses("10.0.0.1");
  table.publish(net1, web1, { names: [], addresses: shared });
  table.publish(net1, web2, { names: ["a".repeat(64), "Web-2", "alias"], addresses: shared });
  assert.equal(table.nameOf(net1, parseAddress("10.0.0.1")), "Web-2");
  table.withdraw(net1, web2);
  assert.equal(table.nameOf(net1, parseAddress("10.0.0.1")), undefined);
  assert.equal(table.nameOf(net2, parseAddress("10.0.0.1")), undefined);
});

test("a name without addresses is known, an address shared by owners is given once", () => {
  const table = new NameTable();
  table.publish(net1, web1, { names: ["bare"], addresses: [] });
  assert.deepEqual(texts(table, net1, "bare", 4), []);
  const shared = addresses("10.0.0.1", "10.0.0.1");
  table.publish(net1, web1, { names: ["vip"], addresses: shared });
  table.publish(net1, web2, { names: ["vip"], addresses: shared });
  assert.deepEqual(texts(table, net1, "vip", 4), ["10.0.0.1"]);
  table.withdraw(net1, web1);
  assert.deepEqual(texts(table, net1, "vip", 4), ["10.0.0.1"]);
});

/** The same in the most obvious way: a list of what is published, searched from end to end. */
class Model {
  readonly #all = new Map<string, { network: Id; publication: Publication }>();

  publish(network: Id, endpoint: Id, publication: Publication): void {
    this.withdraw(network, endpoint); // so that it goes to the end
    this.#all.set(network + endpoint, { network, publication });
  }

  withdraw(network: Id, endpoint: Id): void {
    this.#all.delete(network + endpoint);
  }

  addresses(network: Id, name: string, family: Family): readonly string[] | undefined {
    const owners = this.#in(network).filter(({ names }) => names.some((n) => n.toLowerCase() === name));
    if (owners.length === 0) return undefined;
    return [...new Set(owners.flatMap((o) => o.addresses).filter((a) => familyOf(a) === family))].sort();
  }

  nameOf(network: Id, address: string): string | undefined {
    const owners = this.#in(network).filter((o) => o.addresses.some((a) => a === address));
    return owners.map(({ names }) => names[0]).find((name) => name !== undefined);
  }

  #in(network: Id): readonly Publication[] {
    return [...this.#all.values()].filter((e) => e.network === network).map((e) => e.publication);
  }
}

test("it answers as a list searched from end to end does", () => {
  const names = ["a", "A", "b", "a.b", "C"];
  const all = addresses("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2");
  const [networks, endpoints] = [
    [idOf(1), idOf(2)],
    [idOf(11), idOf(12), idOf(13)],
  ];
  const change = fc.record({
    network: fc.constantFrom(...networks),
    endpoint: fc.constantFrom(...endpoints),
    publication: fc.option(fc.record({ names: fc.subarray(names), addresses: fc.subarray([...all]) }), {
      nil: undefined,
      freq: 3,
    }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const [table, model] = [new NameTable(), new Model()];
      for (const { network, endpoint, publication } of changes) {
        for (const target of [table, model]) {
          if (publication === undefined) target.withdraw(network, endpoint);
          else target.publish(network, endpoint, publication);
        }
        for (const name of ["a", "b", "a.b", "c", "d"]) {
          for (const family of [4, 6] as const) {
            assert.deepEqual(texts(table, network, name, family), model.addresses(network, name, family));
          }
        }
        for (const address of all) {
          assert.equal(table.nameOf(network, address), model.nameOf(network, address));
        }
      }
    }),
  );
});
