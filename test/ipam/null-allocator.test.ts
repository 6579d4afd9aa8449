import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { asIpamDriver, NullAllocator, type PoolRequest } from "../../src/ipam/index.ts";
import { refusal } from "./refusal.ts";

function request(init: Partial<PoolRequest> = {}): PoolRequest {
  return { addressSpace: "null", options: {}, exclude: [], family: 4, ...init };
}

describe("NullAllocator", () => {
  it("gives one pool a family, and no address", async () => {
    const driver = asIpamDriver(new NullAllocator());
    assert.deepEqual(await driver.requestPool(request()), {
      poolId: "null/0.0.0.0/0",
      pool: "0.0.0.0/0",
      data: {},
    });
    const { poolId } = await driver.requestPool(request({ family: 6 }));
    assert.equal(poolId, "null/::/0");
    assert.deepEqual(await driver.requestAddress(poolId, { options: {} }), { address: undefined, data: {} });
    await driver.releaseAddress(poolId, parseAddress("::1"));
    await driver.releasePool(poolId);
  });

  const refused = [
    [{ addressSpace: "LocalDefault" }, "cannot find address space LocalDefault"],
    [{ pool: "10.0.0.0/8" }, "null ipam driver does not handle specific address pool requests"],
    [{ subPool: "10.0.0.0/8" }, "null ipam driver does not handle specific address subpool requests"],
  ] as const;
  for (const [init, message] of refused) {
    it(`refuses ${JSON.stringify(init)}`, () => {
      assert.throws(() => new NullAllocator().requestPool(request(init)), refusal("INVALID_POOL", message));
    });
  }

  it("refuses pools that are not its own", () => {
    const allocator = new NullAllocator();
    const unknown = refusal("INVALID_POOL", "unknown pool id: LocalDefault/10.0.0.0/8");
    const poolId = "LocalDefault/10.0.0.0/8";
    assert.throws(() => allocator.releasePool(poolId), unknown);
    assert.throws(() => allocator.requestAddress(poolId, { options: {} }), unknown);
    assert.throws(() => allocator.releaseAddress(poolId, parseAddress("10.0.0.1")), unknown);
  });
});
