import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { overlaps, parsePrefix } from "../../../src/core/index.ts";
import { BuiltinAllocator, type PoolRequest, uniqueLocalPool } from "../../../src/ipam/index.ts";
import { refusal } from "../refusal.ts";
import { builtin, request, take } from "./builtin-fixture.ts";

describe("pools of the builtin allocator's choice", () => {
  it("are the 31 of Docker, lowest first, and then none", () => {
    const allocator = builtin();
    const pools = Array.from({ length: 31 }, () => allocator.requestPool(request()).pool);
    const expected = [
      ...Array.from({ length: 15 }, (_, i) => `172.${17 + i}.0.0/16`),
      ...Array.from({ length: 16 }, (_, i) => `192.168.${i * 16}.0/20`),
    ];
    assert.deepEqual(pools, expected);
    assert.throws(
      () => allocator.requestPool(request()),
      refusal("POOLS_EXHAUSTED", "all predefined address pools have been fully subnetted"),
    );
    allocator.releasePool("LocalDefault/172.20.0.0/16");
    assert.equal(allocator.requestPool(request()).pool, "172.20.0.0/16");
  });

  it("are /24 of 10.0.0.0/8 in the global space", () => {
    const allocator = builtin();
    const global = request({ addressSpace: "GlobalDefault" });
    assert.equal(allocator.requestPool(global).poolId, "GlobalDefault/10.0.0.0/24");
    assert.equal(allocator.requestPool(global).poolId, "GlobalDefault/10.0.1.0/24");
  });

  it("are of the host's own unique local block for IPv6", () => {
    const { pool } = builtin().requestPool(request({ family: 6 }));
    assert.equal(pool, uniqueLocalPool("host-1").base.replace("/48", "/64"));
  });

  it("avoid what is excluded, and static pools", () => {
    const allocator = builtin();
    const exclude = [parsePrefix("172.17.4.0/24"), parsePrefix("172.19.0.0/16"), parsePrefix("fd00::/8")];
    allocator.requestPool(request({ pool: "172.18.7.0/28" }));
    assert.equal(allocator.requestPool(request({ exclude })).pool, "172.20.0.0/16");
    assert.ok(!overlaps(allocator.requestPool(request()).pool, parsePrefix("172.18.0.0/16")));
  });

  const sized = [
    [{ pool: "0.0.0.0/24" }, "172.17.0.0/24"],
    [{ pool: "0.0.0.0/16" }, "172.17.0.0/16"],
    [{ pool: "0.0.0.0/15" }, "172.20.0.0/15"],
    [{ pool: "::/72" }, uniqueLocalPool("host-1").base.replace("/48", "/72")],
  ] as const;
  for (const [init, pool] of sized) {
    it(`have the size that ${init.pool} asks for`, () => {
      assert.equal(builtin().requestPool(request(init)).pool, pool);
    });
  }

  it("come from the pools that are configured, each family by itself", () => {
    const allocator = new BuiltinAllocator({
      hostId: "host-1",
      localPools: [{ base: "10.99.0.0/23", size: 24 }],
      globalPools: [{ base: "fd00:9::/48", size: 64 }],
    });
    assert.equal(allocator.requestPool(request()).pool, "10.99.0.0/24");
    assert.equal(allocator.requestPool(request()).pool, "10.99.1.0/24");
    assert.throws(() => allocator.requestPool(request()), /fully subnetted/);
    assert.equal(
      allocator.requestPool(request({ family: 6 })).pool,
      uniqueLocalPool("host-1").base.replace("/48", "/64"),
    );
    const global = { addressSpace: "GlobalDefault" };
    assert.equal(allocator.requestPool(request({ ...global, family: 6 })).pool, "fd00:9::/64");
    assert.equal(allocator.requestPool(request(global)).pool, "10.0.0.0/24");
  });
});

describe("pool requests that are refused", () => {
  const parse = (space: string, pool: string, sub: string, why: string) =>
    `failed to parse pool request for address space "${space}" pool "${pool}" subpool "${sub}": ${why}`;
  const cases: readonly (readonly [Partial<PoolRequest>, string])[] = [
    [{ addressSpace: "" }, parse("", "", "", "invalid address space")],
    [{ addressSpace: "Nowhere" }, "cannot find address space Nowhere"],
    [{ subPool: "10.0.0.0/24" }, parse("LocalDefault", "", "10.0.0.0/24", "invalid address subpool")],
    [{ pool: "ten" }, parse("LocalDefault", "ten", "", "invalid address pool")],
    [
      { pool: "10.0.0.0/8", subPool: "ten" },
      parse("LocalDefault", "10.0.0.0/8", "ten", "invalid address subpool"),
    ],
    [
      { pool: "10.0.0.0/8", subPool: "11.0.0.0/24" },
      parse("LocalDefault", "10.0.0.0/8", "11.0.0.0/24", "invalid address subpool"),
    ],
    [
      { pool: "0.0.0.0/24", subPool: "10.0.0.0/25" },
      parse("LocalDefault", "0.0.0.0/24", "10.0.0.0/25", "invalid address subpool"),
    ],
    [
      { pool: "10.0.0.0/8", subPool: "fd00::/64" },
      parse(
        "LocalDefault",
        "10.0.0.0/8",
        "fd00::/64",
        "pool and subpool are of incompatible address families",
      ),
    ],
    [
      { pool: "10.0.0.0/8", family: 6 },
      parse("LocalDefault", "10.0.0.0/8", "", "the pool should be an IPv6 block"),
    ],
    [{ pool: "0.0.0.0/8" }, "invalid address pool"],
  ];
  for (const [init, message] of cases) {
    it(message, () => {
      assert.throws(() => builtin().requestPool(request(init)), refusal("INVALID_POOL", message));
    });
  }

  it("a pool that is not held", () => {
    const allocator = builtin();
    const poolId = "LocalDefault/10.0.0.0/8";
    assert.throws(
      () => allocator.releasePool(poolId),
      refusal("INVALID_POOL", "address space does not contain specified address pool"),
    );
    assert.throws(
      () => take(allocator, poolId),
      refusal("INVALID_POOL", `cannot find address pool for poolID:${poolId}`),
    );
    assert.throws(
      () => take(allocator, "Nowhere/10.0.0.0/8"),
      refusal("INVALID_POOL", "cannot find address space Nowhere"),
    );
    assert.throws(
      () => take(allocator, "10.0.0.0/8"),
      refusal("INVALID_POOL", "invalid string form for subnetkey: 10.0.0.0/8"),
    );
  });
});

describe("overlap of static pools", () => {
  const overlap = refusal(
    "POOL_OVERLAP",
    "invalid pool request: Pool overlaps with other one on this address space",
  );
  const a = { pool: "10.0.0.0/16" };
  const aSub1 = { pool: "10.0.0.0/16", subPool: "10.0.1.0/24" };
  const aSub2 = { pool: "10.0.0.0/16", subPool: "10.0.2.0/24" };
  const within = { pool: "10.0.7.0/24" };
  const withinSub = { pool: "10.0.7.0/24", subPool: "10.0.7.0/25" };
  const around = { pool: "10.0.0.0/8" };
  const aroundSub = { pool: "10.0.0.0/8", subPool: "10.0.1.0/24" };
  const cases = [
    [a, a, false],
    [a, within, false],
    [a, around, false],
    [a, aSub1, true],
    [a, withinSub, true],
    [a, aroundSub, true],
    [aSub1, aSub1, false],
    [aSub1, aSub2, true],
    [aSub1, a, false],
    [aSub1, within, false],
    [aSub1, around, false],
    [aSub1, withinSub, true],
  ] as const;
  for (const [first, second, allowed] of cases) {
    it(`${JSON.stringify(second)} ${allowed ? "may" : "may not"} follow ${JSON.stringify(first)}`, () => {
      const allocator = builtin();
      allocator.requestPool(request(first));
      const attempt = () => allocator.requestPool(request(second));
      if (allowed) attempt();
      else assert.throws(attempt, overlap);
      allocator.requestPool(request({ ...second, addressSpace: "GlobalDefault" }));
    });
  }

  it("ends with the last of a pool's ids", () => {
    const allocator = builtin();
    const whole = allocator.requestPool(request(a)).poolId;
    const sub1 = allocator.requestPool(request(aSub1)).poolId;
    const sub2 = allocator.requestPool(request(aSub2)).poolId;
    assert.equal(sub1, "LocalDefault/10.0.0.0/16/10.0.1.0/24");
    assert.equal(take(allocator, sub1), "10.0.1.0/16");
    allocator.releasePool(whole);
    assert.throws(() => allocator.releasePool(whole), /does not contain/);
    allocator.releasePool(sub1);
    assert.throws(() => allocator.requestPool(request(within)), overlap);
    // The address was never released, and the pool lives on in its other id.
    assert.equal(allocator.poolStatus(sub2).inUse, 3n);
    allocator.releasePool(sub2);
    assert.equal(take(allocator, allocator.requestPool(request(aSub1)).poolId), "10.0.1.0/16");
  });

  it("takes a sub-pool larger than its pool for the pool", () => {
    const { poolId, pool } = builtin().requestPool(request({ pool: "10.0.0.0/16", subPool: "10.0.0.0/8" }));
    assert.equal(pool, "10.0.0.0/16");
    assert.equal(poolId, "LocalDefault/10.0.0.0/16/10.0.0.0/16");
  });
});
