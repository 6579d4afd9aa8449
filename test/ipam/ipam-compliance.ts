import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import {
  addressPart,
  contains,
  containsPrefix,
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  isWeftError,
  lengthOf,
  overlaps,
  parseAddress,
  parsePrefix,
} from "../../src/core/index.ts";
import type { IpamDriver, PoolRequest } from "../../src/ipam/index.ts";

/** Makes a driver that holds nothing; what it needs ends with the test. */
export type MakeDriver = (t?: TestContext) => Promise<IpamDriver>;

/** What every driver that gives addresses must do, whatever process it is in. */
export function testIpamDriver(name: string, make: MakeDriver): void {
  describe(`${name} as an IPAM driver`, () => {
    testPools(make);
    testAddresses(make);
    testRandomOperations(make);
  });
}

function request(
  driver: IpamDriver,
  pool: string | undefined,
  family: Family,
  subPool?: string,
): PoolRequest {
  return {
    addressSpace: driver.defaultAddressSpaces.local,
    options: {},
    exclude: [],
    family,
    ...(pool === undefined ? {} : { pool }),
    ...(subPool === undefined ? {} : { subPool }),
  };
}

function given(address: InterfaceAddress | undefined): InterfaceAddress {
  assert.ok(address !== undefined, "the driver gave no address");
  return address;
}

function testPools(make: MakeDriver): void {
  it("names itself and its address spaces", async (t) => {
    const driver = await make(t);
    assert.notEqual(driver.name, "");
    assert.notEqual(driver.defaultAddressSpaces.local, "");
    assert.notEqual(driver.defaultAddressSpaces.global, "");
  });

  for (const [pool, masked] of [
    ["172.30.0.0/24", "172.30.0.0/24"],
    ["172.30.0.9/24", "172.30.0.0/24"],
    ["fd12:3456::/64", "fd12:3456::/64"],
  ] as const) {
    it(`gives the pool ${pool}, and after its release again`, async (t) => {
      const driver = await make(t);
      const family = familyOf(parsePrefix(masked));
      const first = await driver.requestPool(request(driver, pool, family));
      assert.equal(first.pool, masked);
      await driver.releasePool(first.poolId);
      const second = await driver.requestPool(request(driver, pool, family));
      assert.equal(second.pool, masked);
    });
  }

  it("refuses a pool that overlaps one it gave", async (t) => {
    const driver = await make(t);
    await driver.requestPool(request(driver, "172.30.0.0/16", 4));
    for (const pool of ["172.30.0.0/16", "172.30.1.0/24", "172.16.0.0/12"]) {
      await assert.rejects(driver.requestPool(request(driver, pool, 4)), (error) => isWeftError(error), pool);
    }
  });

  for (const family of [4, 6] as const) {
    it(`chooses IPv${family} pools that do not overlap`, async (t) => {
      const driver = await make(t);
      const leases = [];
      for (let i = 0; i < 10; i++) leases.push(await driver.requestPool(request(driver, undefined, family)));
      for (const [i, { pool }] of leases.entries()) {
        assert.equal(familyOf(pool), family);
        assert.ok(!leases.slice(i + 1).some((other) => overlaps(pool, other.pool)), pool);
      }
      assert.equal(new Set(leases.map(({ poolId }) => poolId)).size, leases.length);
    });
  }

  it("refuses to release a pool it does not hold", async (t) => {
    const driver = await make(t);
    const { poolId } = await driver.requestPool(request(driver, "172.30.0.0/16", 4));
    await driver.releasePool(poolId);
    await assert.rejects(driver.releasePool(poolId), (error) => isWeftError(error));
    await assert.rejects(driver.requestAddress(poolId, { options: {} }), (error) => isWeftError(error));
  });
}

function testAddresses(make: MakeDriver): void {
  for (const [pool, family] of [
    ["172.30.0.0/28", 4],
    ["fd12::/124", 6],
  ] as const) {
    it(`gives every address of ${pool} once, with the pool's length, and then none`, async (t) => {
      const driver = await make(t);
      const { poolId, pool: prefix } = await driver.requestPool(request(driver, pool, family));
      const seen = new Set<IpAddress>();
      for (;;) {
        try {
          const address = given((await driver.requestAddress(poolId, { options: {} })).address);
          assert.equal(lengthOf(address), lengthOf(prefix));
          assert.ok(contains(prefix, addressPart(address)));
          assert.ok(!seen.has(addressPart(address)), `${address} came twice`);
          seen.add(addressPart(address));
        } catch (error) {
          if (!isWeftError(error, "NO_AVAILABLE_ADDRESSES")) throw error;
          break;
        }
      }
      assert.ok(seen.size >= 13, `${seen.size} addresses`);
      const [some] = seen;
      assert.ok(some !== undefined);
      await driver.releaseAddress(poolId, some);
      const again = given((await driver.requestAddress(poolId, { options: {} })).address);
      assert.equal(addressPart(again), some);
    });
  }

  it("gives the address asked for, once", async (t) => {
    const driver = await make(t);
    const { poolId } = await driver.requestPool(request(driver, "172.30.0.0/16", 4));
    const address = parseAddress("172.30.200.7");
    assert.equal((await driver.requestAddress(poolId, { address, options: {} })).address, "172.30.200.7/16");
    await assert.rejects(driver.requestAddress(poolId, { address, options: {} }), (error) =>
      isWeftError(error, "ADDRESS_IN_USE"),
    );
    await driver.releaseAddress(poolId, address);
    assert.equal((await driver.requestAddress(poolId, { address, options: {} })).address, "172.30.200.7/16");
  });

  it("refuses an address outside the pool", async (t) => {
    const driver = await make(t);
    const { poolId } = await driver.requestPool(request(driver, "172.30.0.0/16", 4));
    const address = parseAddress("172.31.0.1");
    await assert.rejects(driver.requestAddress(poolId, { address, options: {} }), (error) =>
      isWeftError(error, "ADDRESS_OUT_OF_RANGE"),
    );
  });

  it("chooses from a sub-pool, with the length of the whole pool", async (t) => {
    const driver = await make(t);
    const sub = parsePrefix("172.30.9.0/24");
    const { poolId, pool } = await driver.requestPool(request(driver, "172.30.0.0/16", 4, sub));
    assert.ok(containsPrefix(pool, sub));
    const address = given((await driver.requestAddress(poolId, { options: {} })).address);
    assert.equal(lengthOf(address), 16);
    assert.ok(contains(sub, addressPart(address)));
  });
}

function testRandomOperations(make: MakeDriver): void {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant("any" as const) }),
    fc.record({ kind: fc.constant("named" as const), host: fc.integer({ min: 1, max: 14 }) }),
    fc.record({ kind: fc.constant("release" as const), host: fc.integer({ min: 1, max: 14 }) }),
  );

  it("keeps count through any order of requests and releases", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const driver = await make();
        const { poolId } = await driver.requestPool(request(driver, "172.30.0.0/28", 4));
        const held = new Set<string>();
        for (const step of operations) {
          if (step.kind === "release") {
            await driver.releaseAddress(poolId, parseAddress(`172.30.0.${step.host}`));
            held.delete(`172.30.0.${step.host}/28`);
            continue;
          }
          const wanted =
            step.kind === "named"
              ? { address: parseAddress(`172.30.0.${step.host}`), options: {} }
              : { options: {} };
          const taken = step.kind === "named" ? held.has(`172.30.0.${step.host}/28`) : held.size === 14;
          try {
            const address = given((await driver.requestAddress(poolId, wanted)).address);
            assert.ok(!taken && !held.has(address), `${address} came twice`);
            held.add(address);
          } catch (error) {
            if (!isWeftError(error)) throw error;
            assert.ok(taken, `refused: ${error.message}`);
          }
        }
      }),
    );
  });
}
