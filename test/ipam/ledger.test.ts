import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { addressPart, type IpAddress, isWeftError, parseAddress } from "../../src/core/index.ts";
import {
  BuiltinAllocator,
  eraseLease,
  type Lease,
  leaseKey,
  leasePrefix,
  leasesOf,
  type PoolId,
  restoreLeases,
  writeLease,
} from "../../src/ipam/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { refusal } from "./refusal.ts";

const poolId = "LocalDefault/10.0.0.0/16/10.0.1.0/24";

function lease(address: string, init: Partial<Lease> = {}): Lease {
  return {
    driver: "default",
    poolId,
    address: parseAddress(address),
    owner: "e1",
    kind: "endpoint",
    ...init,
  };
}

describe("lease keys", () => {
  it("have a segment each for driver, pool and address", () => {
    assert.equal(
      leaseKey(lease("10.0.1.7")),
      "ipam/default/LocalDefault%2F10.0.0.0%2F16%2F10.0.1.0%2F24/10.0.1.7",
    );
  });

  it("are printable ASCII of at most 500 bytes, and differ, whatever a plugin calls itself and its pools", () => {
    const name = fc.oneof(fc.string({ unit: "binary" }), fc.string({ minLength: 300, maxLength: 700 }));
    fc.assert(
      fc.property(name, name, name, (driver, one, other) => {
        const address = parseAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        const key = leaseKey({ driver, poolId: one, address });
        assert.match(key, /^ipam\/[!-.0-~]*\/[!-.0-~]*\/[!-.0-~]+$/);
        assert.ok(key.length <= 500);
        assert.equal(leasePrefix(driver, one) === leasePrefix(driver, other), one === other);
      }),
    );
  });
});

describe("leases in a store", () => {
  it("are written, listed by pool, and erased", async () => {
    const store = new MemoryStore();
    const other = lease("10.0.1.1", { poolId: "LocalDefault/10.0.0.0/16", kind: "gateway", owner: "n1" });
    await store.transact((transaction) => {
      for (const each of [lease("10.0.1.2"), lease("10.0.1.1", { kind: "aux" }), other])
        writeLease(transaction, each);
    });
    assert.deepEqual(
      [...leasesOf(store, "default", poolId)],
      [lease("10.0.1.1", { kind: "aux" }), lease("10.0.1.2")],
    );
    assert.deepEqual([...leasesOf(store, "default", other.poolId)], [other]);
    assert.deepEqual([...leasesOf(store, "plugin", poolId)], []);
    await store.transact((transaction) => {
      assert.equal(eraseLease(transaction, lease("10.0.1.1")), true);
      assert.equal(eraseLease(transaction, lease("10.0.1.1")), false);
    });
    assert.deepEqual([...leasesOf(store, "default", poolId)], [lease("10.0.1.2")]);
  });

  it("cannot be taken over by another owner", async () => {
    const store = new MemoryStore();
    await store.transact((transaction) => writeLease(transaction, lease("10.0.1.2")));
    const takeOver = store.transact((transaction) => {
      writeLease(transaction, lease("10.0.1.3", { owner: "e2" }));
      writeLease(transaction, lease("10.0.1.2", { owner: "e2" }));
    });
    await assert.rejects(takeOver, refusal("ADDRESS_IN_USE", "Address already in use"));
    await store.transact((transaction) => writeLease(transaction, lease("10.0.1.2", { kind: "aux" })));
    assert.deepEqual([...leasesOf(store, "default", poolId)], [lease("10.0.1.2", { kind: "aux" })]);
  });

  for (const [what, key, value] of [
    ["a value without an owner", leaseKey(lease("10.0.1.2")), { kind: "aux" }],
    ["a kind there is not", leaseKey(lease("10.0.1.2")), { owner: "e1", kind: "loan" }],
    ["a key without an address", `${leasePrefix("default", poolId)}here`, { owner: "e1", kind: "aux" }],
  ] as const) {
    it(`that have ${what} are an error`, async () => {
      const store = new MemoryStore();
      await store.transact((transaction) => transaction.put(key, value));
      assert.throws(
        () => [...leasesOf(store, "default", poolId)],
        refusal("STORE", `${key} is no address lease: the store is damaged: restore a backup`),
      );
    });
  }
});

describe("restoreLeases", () => {
  const requests = [
    { pool: "10.0.0.0/28", family: 4 },
    { pool: "10.0.0.0/28", subPool: "10.0.0.8/29", family: 4 },
    { pool: "10.0.0.0/24", subPool: "10.0.0.0/29", family: 4 },
    { pool: "fd00::/64", family: 6 },
    { family: 4 },
    { family: 6 },
  ] as const;
  const operation = fc.record({
    pool: fc.nat(requests.length - 1),
    kind: fc.constantFrom("take", "take", "take", "release", "close"),
    which: fc.nat(20),
  });

  it("brings a new allocator to the state of the old one", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80 }), async (operations) => {
        const store = new MemoryStore();
        const before = new BuiltinAllocator({ hostId: "host-1" });
        const pools = new Map<number, PoolId>();
        for (const step of operations) await apply(step, before, store, pools);
        const after = new BuiltinAllocator({ hostId: "host-1" });
        restoreLeases(after, store, pools.values());
        assert.deepEqual(new Set(after.pools()), new Set(before.pools()));
        for (const id of pools.values()) {
          assert.deepEqual(after.poolStatus(id), before.poolStatus(id));
          for (let i = 0; i < 5; i++) assert.deepEqual(takeOne(after, id), takeOne(before, id));
        }
        const any = { addressSpace: "LocalDefault", options: {}, exclude: [], family: 4 } as const;
        assert.deepEqual(after.requestPool(any), before.requestPool(any));
      }),
    );
  });

  it("takes up again pools that could not be asked for in this order", () => {
    const sub = "LocalDefault/10.0.0.0/16/10.0.1.0/24";
    const allocator = new BuiltinAllocator({ hostId: "host-1" });
    restoreLeases(allocator, new MemoryStore(), [sub, "LocalDefault/10.0.0.0/16"]);
    assert.deepEqual(new Set(allocator.pools()), new Set([sub, "LocalDefault/10.0.0.0/16"]));
  });

  it("refuses a pool that is named twice", () => {
    const allocator = new BuiltinAllocator({ hostId: "host-1" });
    assert.throws(
      () => restoreLeases(allocator, new MemoryStore(), [poolId, poolId]),
      (error) => isWeftError(error, "POOL_OVERLAP"),
    );
  });

  async function apply(
    step: { readonly pool: number; readonly kind: string; readonly which: number },
    allocator: BuiltinAllocator,
    store: MemoryStore,
    pools: Map<number, PoolId>,
  ): Promise<void> {
    const request = requests[step.pool];
    if (request === undefined) return;
    let id = pools.get(step.pool);
    if (id === undefined) {
      try {
        id = allocator.requestPool({
          addressSpace: "LocalDefault",
          options: {},
          exclude: [],
          ...request,
        }).poolId;
      } catch (error) {
        if (isWeftError(error, "POOL_OVERLAP")) return;
        throw error;
      }
      pools.set(step.pool, id);
    }
    const held = [...leasesOf(store, allocator.name, id)];
    const chosen = held[step.which % Math.max(held.length, 1)];
    if (step.kind === "take") {
      const address = takeOne(allocator, id);
      if (address === undefined) return;
      await store.transact((transaction) =>
        writeLease(transaction, {
          driver: allocator.name,
          poolId: id,
          address,
          owner: "e",
          kind: "endpoint",
        }),
      );
    } else if (step.kind === "release" && chosen !== undefined) {
      await store.transact((transaction) => eraseLease(transaction, chosen));
      allocator.releaseAddress(id, chosen.address);
    } else if (step.kind === "close" && held.length === 0) {
      allocator.releasePool(id);
      pools.delete(step.pool);
    }
  }

  function takeOne(allocator: BuiltinAllocator, id: PoolId): IpAddress | undefined {
    try {
      return addressPart(allocator.requestAddress(id, { options: {} }).address);
    } catch (error) {
      if (isWeftError(error, "NO_AVAILABLE_ADDRESSES")) return undefined;
      throw error;
    }
  }
});
