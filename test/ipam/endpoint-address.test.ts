import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import {
  allocateNetwork,
  asIpamDriver,
  BuiltinAllocator,
  type EndpointAddress,
  type EndpointAddressRequest,
  parseNetworkConfig,
  requestEndpointAddress,
  takeEndpointAddress,
} from "../../src/ipam/index.ts";
import { refusal } from "./refusal.ts";

type Take = (request: EndpointAddressRequest) => Promise<EndpointAddress>;

async function setUp(how: "at once" | "asynchronously") {
  const allocator = new BuiltinAllocator({ hostId: "host-1" });
  const driver = asIpamDriver(allocator);
  const subnets = [{ subnet: "10.0.0.0/30" }, { subnet: "10.0.1.0/30" }, { subnet: "fd00::/64" }];
  const pools = await allocateNetwork(driver, {
    pools: parseNetworkConfig({ enableIpv4: true, enableIpv6: true, subnets }),
    addressSpace: "LocalDefault",
    options: {},
    reserved: [],
    skipGateway: [],
  });
  const take: Take = async (request) =>
    how === "at once" ? takeEndpointAddress(allocator, request) : requestEndpointAddress(driver, request);
  const request = { network: { name: "blue", id: "n1" }, pools, family: 4, options: {} } as const;
  return { take, request };
}

for (const how of ["at once", "asynchronously"] as const) {
  describe(`an endpoint's address taken ${how}`, () => {
    it("is from the first pool with room, until there is none", async () => {
      const { take, request } = await setUp(how);
      assert.deepEqual(await take(request), { poolId: "LocalDefault/10.0.0.0/30", address: "10.0.0.2/30" });
      assert.deepEqual(await take(request), { poolId: "LocalDefault/10.0.1.0/30", address: "10.0.1.2/30" });
      await assert.rejects(
        take(request),
        refusal(
          "NO_AVAILABLE_ADDRESSES",
          "no available IPv4 addresses on this network's address pools: blue (n1)",
        ),
      );
      assert.equal((await take({ ...request, family: 6 })).address, "fd00::2/64");
    });

    it("is the preferred one, of the pool that holds it", async () => {
      const { take, request } = await setUp(how);
      const preferred = parseAddress("10.0.1.2");
      assert.deepEqual(await take({ ...request, preferred }), {
        poolId: "LocalDefault/10.0.1.0/30",
        address: "10.0.1.2/30",
      });
      await assert.rejects(
        take({ ...request, preferred }),
        refusal("ADDRESS_IN_USE", "Address already in use"),
      );
    });

    for (const text of ["10.0.2.1", "fd00::5"]) {
      it(`cannot be ${text}, which no pool of the family holds`, async () => {
        const { take, request } = await setUp(how);
        await assert.rejects(
          take({ ...request, preferred: parseAddress(text) }),
          refusal(
            "INVALID_IPAM_CONFIG",
            `invalid address ${text}: It does not belong to any of this network's subnets`,
          ),
        );
      });
    }
  });
}
