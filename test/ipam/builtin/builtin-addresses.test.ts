import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressPart, parseAddress } from "../../../src/core/index.ts";
import { asIpamDriver, serialOption } from "../../../src/ipam/index.ts";
import { testIpamDriver } from "../ipam-compliance.ts";
import { refusal } from "../refusal.ts";
import { builtin, request, take, takeAll } from "./builtin-fixture.ts";

testIpamDriver("BuiltinAllocator", async () => asIpamDriver(builtin()));

describe("addresses of the builtin allocator", () => {
  const small = [
    ["10.0.0.0/30", ["10.0.0.1/30", "10.0.0.2/30"]],
    ["10.0.0.0/31", ["10.0.0.0/31", "10.0.0.1/31"]],
    ["10.0.0.5/32", ["10.0.0.5/32"]],
    ["fd00::/126", ["fd00::1/126", "fd00::2/126", "fd00::3/126"]],
    ["fd00::/127", ["fd00::/127", "fd00::1/127"]],
    ["fd00::5/128", ["fd00::5/128"]],
  ] as const;
  for (const [pool, addresses] of small) {
    it(`are ${addresses.join(", ")} in ${pool}`, () => {
      const allocator = builtin();
      const { poolId } = allocator.requestPool(request({ pool }));
      assert.deepEqual(takeAll(allocator, poolId), addresses);
    });
  }

  it("are the lowest that are free, and reused at once", () => {
    const allocator = builtin();
    const { poolId } = allocator.requestPool(request({ pool: "10.0.0.0/24" }));
    assert.equal(take(allocator, poolId), "10.0.0.1/24");
    assert.equal(take(allocator, poolId), "10.0.0.2/24");
    assert.equal(take(allocator, poolId), "10.0.0.3/24");
    allocator.releaseAddress(poolId, parseAddress("10.0.0.2"));
    assert.equal(take(allocator, poolId), "10.0.0.2/24");
    assert.equal(take(allocator, poolId), "10.0.0.4/24");
  });

  it("follow one another when serial, and wrap", () => {
    const allocator = builtin();
    const { poolId } = allocator.requestPool(request({ pool: "10.0.0.0/29" }));
    const serial = { [serialOption]: "true" };
    const next = () => take(allocator, poolId, serial);
    assert.deepEqual([next(), next()], ["10.0.0.1/29", "10.0.0.2/29"]);
    allocator.releaseAddress(poolId, parseAddress("10.0.0.1"));
    assert.deepEqual(
      [next(), next(), next(), next()],
      ["10.0.0.3/29", "10.0.0.4/29", "10.0.0.5/29", "10.0.0.6/29"],
    );
    assert.equal(next(), "10.0.0.1/29");
    assert.throws(next, refusal("NO_AVAILABLE_ADDRESSES", "no available addresses on this pool"));
  });

  it("are from the first to the last of a sub-pool, with the mask of the pool", () => {
    const allocator = builtin();
    const { poolId } = allocator.requestPool(request({ pool: "172.28.0.0/16", subPool: "172.28.30.0/24" }));
    const addresses = takeAll(allocator, poolId);
    assert.equal(addresses.length, 256);
    assert.equal(addresses[0], "172.28.30.0/16");
    assert.equal(addresses.at(-1), "172.28.30.255/16");
    const outside = parseAddress("172.28.1.1");
    assert.equal(
      allocator.requestAddress(poolId, { address: outside, options: {} }).address,
      "172.28.1.1/16",
    );
  });

  it("are shared by the sub-pools of one pool", () => {
    const allocator = builtin();
    const first = allocator.requestPool(request({ pool: "10.0.0.0/16", subPool: "10.0.1.0/24" })).poolId;
    const second = allocator.requestPool(request({ pool: "10.0.0.0/16", subPool: "10.0.1.0/25" })).poolId;
    assert.equal(take(allocator, first), "10.0.1.0/16");
    assert.equal(take(allocator, second), "10.0.1.1/16");
  });

  const refused = [
    ["10.0.1.0", "ADDRESS_OUT_OF_RANGE", "requested address is out of range"],
    ["fd00::1", "ADDRESS_OUT_OF_RANGE", "requested address is out of range"],
    ["10.0.0.0", "ADDRESS_IN_USE", "Address already in use"],
    ["10.0.0.255", "ADDRESS_IN_USE", "Address already in use"],
  ] as const;
  for (const [text, code, message] of refused) {
    it(`of 10.0.0.0/24 cannot be ${text}: ${message}`, () => {
      const allocator = builtin();
      const { poolId } = allocator.requestPool(request({ pool: "10.0.0.0/24" }));
      const wanted = { address: parseAddress(text), options: {} };
      assert.throws(() => allocator.requestAddress(poolId, wanted), refusal(code, message));
    });
  }

  it("that are reserved stay so when they are released, and a free one may be released", () => {
    const allocator = builtin();
    const { poolId } = allocator.requestPool(request({ pool: "10.0.0.0/30" }));
    for (const text of ["10.0.0.0", "10.0.0.1", "10.0.0.3"])
      allocator.releaseAddress(poolId, parseAddress(text));
    assert.deepEqual(takeAll(allocator, poolId), ["10.0.0.1/30", "10.0.0.2/30"]);
    assert.throws(
      () => allocator.releaseAddress(poolId, parseAddress("10.0.1.0")),
      refusal("ADDRESS_OUT_OF_RANGE", "requested address is out of range"),
    );
  });

  for (const [pool, first, next, far, capacity] of [
    ["::/0", "::1/0", "::2/0", "ffff:ffff::1", 2n ** 128n],
    ["2000::/3", "2000::1/3", "2000::2/3", "3fff::4444:5555", 2n ** 125n],
    ["fd00:1:2:3::/64", "fd00:1:2:3::1/64", "fd00:1:2:3::2/64", "fd00:1:2:3:ffff::7", 2n ** 64n],
    ["fd00::/79", "fd00::1/79", "fd00::2/79", "fd00::1:ffff:ffff:ffff", 2n ** 49n],
    ["fd00::/80", "fd00::1/80", "fd00::2/80", "fd00::ffff:ffff:ffff", 2n ** 48n],
  ] as const) {
    it(`work in a pool as large as ${pool}`, () => {
      const allocator = builtin();
      const { poolId } = allocator.requestPool(request({ pool }));
      assert.equal(take(allocator, poolId), first);
      assert.equal(take(allocator, poolId), next);
      const wanted = { address: parseAddress(far), options: {} };
      assert.equal(addressPart(allocator.requestAddress(poolId, wanted).address), far);
      assert.throws(() => allocator.requestAddress(poolId, wanted), /already in use/);
      assert.deepEqual(allocator.poolStatus(poolId), { inUse: 4n, available: capacity - 4n });
      allocator.releaseAddress(poolId, wanted.address);
      assert.equal(allocator.poolStatus(poolId).inUse, 3n);
    });
  }

  it("of an IPv6 sub-pool are found across the regions of a large one", () => {
    const allocator = builtin();
    const subPool = "fd00:0:0:8000::/49";
    const { poolId } = allocator.requestPool(request({ pool: "fd00::/32", subPool }));
    assert.equal(take(allocator, poolId, { [serialOption]: "true" }), "fd00:0:0:8000::/32");
    assert.equal(take(allocator, poolId, { [serialOption]: "true" }), "fd00:0:0:8000::1/32");
    const before = parseAddress("fd00::7");
    allocator.requestAddress(poolId, { address: before, options: {} });
    assert.deepEqual(allocator.poolStatus(poolId), { inUse: 4n, available: 2n ** 79n - 2n });
  });

  it("stay small in memory and fast: 1,000,000 of a /8", () => {
    const allocator = builtin();
    const { poolId } = allocator.requestPool(request({ pool: "10.0.0.0/8" }));
    for (let i = 0; i < 1_000_000; i++) take(allocator, poolId);
    assert.ok(allocator.bitmapBytes(poolId) < 10_000);
    assert.equal(allocator.poolStatus(poolId).inUse, 1_000_002n);
    assert.equal(take(allocator, poolId), "10.15.66.65/8");
  });
});
