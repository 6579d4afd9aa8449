import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isWeftError, parsePrefix } from "../../src/core/index.ts";
import {
  allocateNetwork,
  asIpamDriver,
  BuiltinAllocator,
  gatewayOption,
  type NetworkAllocationRequest,
  NullAllocator,
  networkLeases,
  parseNetworkConfig,
  releaseNetwork,
  type SubnetConfig,
} from "../../src/ipam/index.ts";
import { faultyDriver } from "./faulty-driver.ts";
import { refusal } from "./refusal.ts";

function builtin(): BuiltinAllocator {
  return new BuiltinAllocator({ hostId: "host-1" });
}

function request(
  subnets: readonly SubnetConfig[],
  init: Partial<NetworkAllocationRequest> & { readonly enableIpv6?: boolean } = {},
): NetworkAllocationRequest {
  const { enableIpv6 = false, ...rest } = init;
  const pools = parseNetworkConfig({ enableIpv4: true, enableIpv6, subnets });
  return { pools, addressSpace: "LocalDefault", options: {}, reserved: [], skipGateway: [], ...rest };
}

/** What a rolled back or released allocator must be like: as if nothing had happened. */
function assertEmpty(allocator: BuiltinAllocator): void {
  assert.deepEqual([...allocator.pools()], []);
}

const dualStack = [
  { subnet: "10.0.0.0/24", gateway: "10.0.0.9", auxAddresses: { a: "10.0.0.1", b: "10.0.0.2" } },
  { subnet: "10.0.1.0/24", ipRange: "10.0.1.128/25", auxAddresses: { c: "10.0.1.5" } },
  { subnet: "fd00::/64", auxAddresses: { d: "fd00::1" } },
];

describe("allocateNetwork", () => {
  it("gives pools, gateways and auxiliary addresses, and what the ledger is to record", async () => {
    const allocator = builtin();
    const pools = await allocateNetwork(asIpamDriver(allocator), request(dualStack, { enableIpv6: true }));
    assert.deepEqual(
      pools.map(({ poolId, pool, gateway, auxAddresses }) => ({ poolId, pool, gateway, auxAddresses })),
      [
        {
          poolId: "LocalDefault/10.0.0.0/24",
          pool: "10.0.0.0/24",
          gateway: "10.0.0.9/24",
          auxAddresses: { a: "10.0.0.1/24", b: "10.0.0.2/24" },
        },
        {
          poolId: "LocalDefault/10.0.1.0/24/10.0.1.128/25",
          pool: "10.0.1.0/24",
          gateway: "10.0.1.128/24",
          auxAddresses: { c: "10.0.1.5/24" },
        },
        {
          poolId: "LocalDefault/fd00::/64",
          pool: "fd00::/64",
          // The lowest address, fd00::1, is named already.
          gateway: "fd00::2/64",
          auxAddresses: { d: "fd00::1/64" },
        },
      ],
    );
    assert.deepEqual(
      networkLeases("default", "n1", pools).map(({ address, kind, owner }) => `${address} ${kind} ${owner}`),
      [
        "10.0.0.9 gateway n1",
        "10.0.0.1 aux n1",
        "10.0.0.2 aux n1",
        "10.0.1.5 aux n1",
        "10.0.1.128 gateway n1",
        "fd00::1 aux n1",
        "fd00::2 gateway n1",
      ],
    );
    const stored = JSON.parse(JSON.stringify(pools));
    await releaseNetwork(asIpamDriver(allocator), stored);
    assertEmpty(allocator);
  });

  it("takes the first address of an ip-range for the gateway, as Docker does", async () => {
    const subnets = [{ subnet: "172.28.0.0/16", ipRange: "172.28.5.0/24" }];
    const [pool] = await allocateNetwork(asIpamDriver(builtin()), request(subnets));
    assert.equal(pool?.gateway, "172.28.5.0/16");
  });

  it("takes no gateway where none is wanted, but one that is named", async () => {
    const subnets = [{ subnet: "10.0.0.0/24" }, { subnet: "10.0.1.0/24", gateway: "10.0.1.7" }];
    const pools = await allocateNetwork(asIpamDriver(builtin()), request(subnets, { skipGateway: [4] }));
    assert.deepEqual(
      pools.map(({ gateway, leases }) => [gateway, leases.length]),
      [
        [undefined, 0],
        ["10.0.1.7/24", 1],
      ],
    );
  });

  it("takes the gateway that the driver names, unless the user names one", async () => {
    const data = { [gatewayOption]: "10.0.0.77/24" };
    const subnet = "10.0.0.0/24";
    const plugin = faultyDriver(builtin(), { data });
    const [chosen] = await allocateNetwork(plugin.driver, request([{ subnet }], { skipGateway: [4] }));
    assert.equal(chosen?.gateway, "10.0.0.77/24");
    assert.deepEqual(plugin.calls, ["requestPool 10.0.0.0/24"]);
    const other = faultyDriver(builtin(), { data });
    const [named] = await allocateNetwork(other.driver, request([{ subnet, gateway: "10.0.0.5" }]));
    assert.equal(named?.gateway, "10.0.0.5/24");
  });

  it("refuses a gateway of the driver's that is none", async () => {
    const allocator = builtin();
    const { driver } = faultyDriver(allocator, { data: { [gatewayOption]: "here" } });
    await assert.rejects(allocateNetwork(driver, request([{ subnet: "10.0.0.0/24" }])), (error) =>
      isWeftError(error, "DRIVER_ANSWER"),
    );
    assertEmpty(allocator);
  });

  it("has no addresses from the null driver", async () => {
    const driver = asIpamDriver(new NullAllocator());
    const pools = await allocateNetwork(driver, request([], { addressSpace: "null", enableIpv6: true }));
    assert.deepEqual(
      pools.map(({ pool, gateway, leases }) => ({ pool, gateway, leases })),
      [
        { pool: "0.0.0.0/0", gateway: undefined, leases: [] },
        { pool: "::/0", gateway: undefined, leases: [] },
      ],
    );
    await releaseNetwork(driver, pools);
  });

  const refused = [
    [
      { subnet: "10.0.0.0/24", gateway: "10.0.0.0" },
      "failed to allocate gateway (10.0.0.0): Address already in use",
    ],
    [
      { subnet: "10.0.0.0/24", gateway: "10.0.0.4", auxAddresses: { a: "10.0.0.4" } },
      "failed to allocate secondary ip address (a:10.0.0.4): Address already in use",
    ],
    [
      { subnet: "10.0.0.0/31", auxAddresses: { a: "10.0.0.0", b: "10.0.0.1" } },
      "failed to allocate gateway (): no available addresses on this pool",
    ],
  ] as const;
  for (const [subnet, message] of refused) {
    it(`says: ${message}`, async () => {
      const allocator = builtin();
      const attempt = allocateNetwork(asIpamDriver(allocator), request([{ subnet: "10.9.0.0/16" }, subnet]));
      await assert.rejects(attempt, (error) => error instanceof Error && error.message === message);
      assertEmpty(allocator);
    });
  }

  it("refuses an auxiliary address that the pool it got does not hold", async () => {
    const allocator = builtin();
    const [pool] = request([]).pools;
    assert.ok(pool !== undefined);
    const { auxAddresses } = parseNetworkConfig({
      enableIpv4: true,
      enableIpv6: false,
      subnets: [{ subnet: "10.0.0.0/8", auxAddresses: { a: "10.0.0.1" } }],
    })[0] ?? { auxAddresses: {} };
    await assert.rejects(
      allocateNetwork(asIpamDriver(allocator), request([], { pools: [{ ...pool, auxAddresses }] })),
      refusal(
        "INVALID_IPAM_CONFIG",
        "auxiliary address: (a:10.0.0.1) must belong to the master pool: 172.17.0.0/16",
      ),
    );
    assertEmpty(allocator);
  });

  it("gives everything back, whichever of its calls fails", async () => {
    const wanted = request(dualStack, { enableIpv6: true });
    const { driver, calls } = faultyDriver(builtin(), {});
    await allocateNetwork(driver, wanted);
    assert.equal(calls.length, 10);
    for (let failAt = 1; failAt <= calls.length; failAt++) {
      const allocator = builtin();
      const faulty = faultyDriver(allocator, { failAt });
      await assert.rejects(allocateNetwork(faulty.driver, wanted), /fault at request/);
      assertEmpty(allocator);
    }
  });

  it("stops at an abort and gives everything back", async () => {
    const allocator = builtin();
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(
      allocateNetwork(asIpamDriver(allocator), request(dualStack, { enableIpv6: true }), signal),
      /enough/,
    );
    assertEmpty(allocator);
  });

  it("says both when giving back fails too, and gives back the rest", async () => {
    const allocator = builtin();
    const { driver } = faultyDriver(allocator, { failAt: 3, failReleaseAt: 1 });
    const subnets = [{ subnet: "10.0.0.0/24", gateway: "10.0.0.9", auxAddresses: { a: "10.0.0.1" } }];
    await assert.rejects(
      allocateNetwork(driver, request(subnets)),
      refusal(
        "TEARDOWN",
        "failed to allocate secondary ip address (a:10.0.0.1): fault at requestAddress 10.0.0.1; then fault at releaseAddress 10.0.0.9",
      ),
    );
    assertEmpty(allocator);
  });
});

describe("pools of a driver's choice and the host's own networks", () => {
  const reserved = [parsePrefix("172.17.0.0/24"), parsePrefix("172.18.255.1/32"), parsePrefix("fd00::/8")];

  it("do not overlap when the driver is told", async () => {
    const { driver, calls } = faultyDriver(builtin(), {});
    const [pool] = await allocateNetwork(driver, request([], { reserved }));
    assert.equal(pool?.pool, "172.19.0.0/16");
    assert.equal(calls[1], "requestAddress ");
  });

  it("do not overlap when the driver is not told: it is asked until one fits", async () => {
    const allocator = builtin();
    const { driver, calls } = faultyDriver(allocator, { ignoreExclude: true });
    const [pool] = await allocateNetwork(driver, request([], { reserved }));
    assert.equal(pool?.pool, "172.19.0.0/16");
    assert.deepEqual(calls, [
      "requestPool ",
      "requestPool ",
      "requestPool ",
      "releasePool LocalDefault/172.17.0.0/16",
      "releasePool LocalDefault/172.18.0.0/16",
      "requestAddress ",
    ]);
    assert.deepEqual([...allocator.pools()], ["LocalDefault/172.19.0.0/16"]);
  });

  it("are all given back when none fits", async () => {
    const allocator = builtin();
    const { driver } = faultyDriver(allocator, { ignoreExclude: true });
    const everything = [parsePrefix("172.16.0.0/12"), parsePrefix("192.168.0.0/16")];
    await assert.rejects(allocateNetwork(driver, request([], { reserved: everything })), /fully subnetted/);
    assertEmpty(allocator);
  });

  it("are given back when those that did not fit cannot be", async () => {
    const allocator = builtin();
    const { driver } = faultyDriver(allocator, { ignoreExclude: true, failReleaseAt: 1 });
    await assert.rejects(allocateNetwork(driver, request([], { reserved })), /fault at releasePool/);
    assert.deepEqual([...allocator.pools()], ["LocalDefault/172.17.0.0/16"]);
  });

  it("end the asking of a driver that has no end", async () => {
    const allocator = new BuiltinAllocator({ hostId: "h", localPools: [{ base: "10.0.0.0/8", size: 24 }] });
    const { driver } = faultyDriver(allocator, { ignoreExclude: true });
    await assert.rejects(
      allocateNetwork(driver, request([], { reserved: [parsePrefix("10.0.0.0/8")] })),
      refusal("DRIVER_ANSWER", "ipam driver default gave 256 pools that overlap networks of the host"),
    );
    assertEmpty(allocator);
  });

  it("may overlap where the user names the subnet, or the space is the cluster's", async () => {
    const { driver } = faultyDriver(builtin(), { ignoreExclude: true });
    const [named] = await allocateNetwork(driver, request([{ subnet: "172.17.0.0/16" }], { reserved }));
    assert.equal(named?.pool, "172.17.0.0/16");
    const wide = { reserved: [parsePrefix("10.0.0.0/8")], addressSpace: "GlobalDefault" };
    const [global] = await allocateNetwork(driver, request([], wide));
    assert.equal(global?.pool, "10.0.0.0/24");
  });
});
