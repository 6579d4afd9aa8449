import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseNetworkConfig, type SubnetConfig, subnetsFromFlags } from "../../src/ipam/index.ts";
import { refusal } from "./refusal.ts";

function config(subnets: readonly SubnetConfig[], enableIpv4 = true, enableIpv6 = true) {
  return { enableIpv4, enableIpv6, subnets };
}

const any = { subnet: undefined, ipRange: undefined, gateway: undefined, auxAddresses: {} };

describe("parseNetworkConfig", () => {
  it("asks for a pool of the driver's choice in each family that is enabled", () => {
    assert.deepEqual(parseNetworkConfig(config([])), [
      { family: 4, ...any },
      { family: 6, ...any },
    ]);
    assert.deepEqual(parseNetworkConfig(config([{}], true, false)), [{ family: 4, ...any }]);
    assert.deepEqual(parseNetworkConfig(config([], false, false)), []);
  });

  it("reads all parts, IPv4 first, in their canonical forms", () => {
    const subnets = [
      { subnet: "FD00:0::/64", gateway: "fd00:0:0:0::1" },
      {
        subnet: "10.0.0.0/8",
        ipRange: "10.1.0.0/16",
        gateway: "10.0.0.1",
        auxAddresses: { router: "10.0.0.2", DefaultGatewayIPv4: "10.0.0.3" },
      },
      { subnet: "172.16.0.0/12" },
    ];
    assert.deepEqual(parseNetworkConfig(config(subnets)), [
      {
        family: 4,
        subnet: "10.0.0.0/8",
        ipRange: "10.1.0.0/16",
        gateway: "10.0.0.1",
        auxAddresses: { router: "10.0.0.2", DefaultGatewayIPv4: "10.0.0.3" },
      },
      { family: 4, ...any, subnet: "172.16.0.0/12" },
      { family: 6, ...any, subnet: "fd00::/64", gateway: "fd00::1" },
    ]);
  });

  it("refuses a subnet of a family that is not enabled", () => {
    const subnets = [{ subnet: "fd00::/64", gateway: "fd00::1" }, { subnet: "10.0.0.0/8" }];
    for (const [ipv4, ipv6, subnet, family] of [
      [true, false, "fd00::/64", 6],
      [false, true, "10.0.0.0/8", 4],
    ] as const) {
      assert.throws(() => parseNetworkConfig(config(subnets, ipv4, ipv6)), {
        code: "INVALID_IPAM_CONFIG",
        message: `invalid network config:\ninvalid subnet ${subnet}: IPv${family} is not enabled for this network: it needs --ipv${family}, EnableIPv${family}`,
      });
    }
  });

  it("lets two entries ask for any subnet of one size", () => {
    assert.equal(
      parseNetworkConfig(config([{ subnet: "0.0.0.0/24" }, { subnet: "0.0.0.0/24" }], true, false)).length,
      2,
    );
  });

  const refused: readonly (readonly [SubnetConfig, readonly string[]])[] = [
    [{ subnet: "172.17.0.5/16" }, ["invalid subnet 172.17.0.5/16: it should be 172.17.0.0/16"]],
    [{ subnet: "foo" }, ["invalid subnet foo: invalid CIDR block notation"]],
    [
      { subnet: "10.0.0.0/8", ipRange: "fd00::/64" },
      ["invalid ip-range fd00::/64: parent subnet is an IPv4 block"],
    ],
    [
      { subnet: "10.10.10.0/24", ipRange: "10.0.0.0/8" },
      ["invalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet 10.10.10.0/24"],
    ],
    [
      { subnet: "10.0.0.0/8", ipRange: "10.10.10.0/16" },
      ["invalid ip-range 10.10.10.0/16: it should be 10.10.0.0/16"],
    ],
    [{ subnet: "10.0.0.0/8", ipRange: "foo" }, ["invalid ip-range foo: invalid CIDR block notation"]],
    [
      {
        subnet: "10.0.0.0/8",
        ipRange: "192.168.0.1/24",
        gateway: "192.168.0.1",
        auxAddresses: { DefaultGatewayIPv4: "192.168.0.1" },
      },
      [
        "invalid ip-range 192.168.0.1/24: it should be 192.168.0.0/24",
        "invalid ip-range 192.168.0.1/24: parent subnet 10.0.0.0/8 doesn't contain ip-range",
        "invalid gateway 192.168.0.1: parent subnet 10.0.0.0/8 doesn't contain this address",
        "invalid auxiliary address DefaultGatewayIPv4: parent subnet 10.0.0.0/8 doesn't contain this address",
      ],
    ],
    [
      { subnet: "fd00::/64", gateway: "10.0.0.1", auxAddresses: { a: "foo", b: "", c: "10.0.0.1" } },
      [
        "invalid gateway 10.0.0.1: parent subnet is an IPv6 block",
        "invalid auxiliary address a: invalid address",
        "invalid auxiliary address b: invalid address",
        "invalid auxiliary address c: parent subnet is an IPv6 block",
      ],
    ],
    [{ subnet: "10.0.0.0/8", gateway: "10.0.0" }, ["invalid gateway 10.0.0: invalid address"]],
    [{ gateway: "10.0.0.1" }, ["every ip-range or gateway must have a corresponding subnet"]],
    [{ auxAddresses: { a: "10.0.0.1" } }, ["no matching subnet for aux-address 10.0.0.1"]],
    [
      { subnet: "0.0.0.0/24", gateway: "10.0.0.1" },
      ["invalid gateway 10.0.0.1: parent subnet 0.0.0.0/24 doesn't contain this address"],
    ],
  ];
  for (const [subnet, problems] of refused) {
    it(`refuses ${JSON.stringify(subnet)}`, () => {
      const message = ["invalid network config:", ...problems].join("\n");
      assert.throws(() => parseNetworkConfig(config([subnet])), refusal("INVALID_IPAM_CONFIG", message));
    });
  }

  it("tells of all entries at once", () => {
    const subnets = [{ subnet: "10.0.0.1/8" }, { subnet: "10.1.0.0/16", gateway: "11.0.0.1" }];
    const message = [
      "invalid network config:",
      "invalid subnet 10.0.0.1/8: it should be 10.0.0.0/8",
      "invalid gateway 11.0.0.1: parent subnet 10.1.0.0/16 doesn't contain this address",
      "multiple overlapping subnet configuration is not supported",
    ].join("\n");
    assert.throws(() => parseNetworkConfig(config(subnets)), refusal("INVALID_IPAM_CONFIG", message));
  });

  it("keeps an auxiliary address of any name", () => {
    const auxAddresses = Object.fromEntries([["__proto__", "10.0.0.1"]]);
    const [pool] = parseNetworkConfig(config([{ subnet: "10.0.0.0/8", auxAddresses }], true, false));
    assert.deepEqual(Object.entries(pool?.auxAddresses ?? {}), [["__proto__", "10.0.0.1"]]);
  });
});

describe("subnetsFromFlags", () => {
  const none = { subnets: [], ipRanges: [], gateways: [], auxAddresses: {} };

  it("sorts ranges, gateways and auxiliary addresses to their subnets", () => {
    const flags = {
      subnets: ["10.0.0.0/8", "fd00::/64"],
      ipRanges: ["fd00::1:0/112", "10.1.0.0/16"],
      gateways: ["fd00::1", "10.0.0.1"],
      auxAddresses: { a: "10.0.0.2", b: "fd00::2", c: "10.0.0.3" },
    };
    assert.deepEqual(subnetsFromFlags(flags), [
      {
        subnet: "10.0.0.0/8",
        ipRange: "10.1.0.0/16",
        gateway: "10.0.0.1",
        auxAddresses: { a: "10.0.0.2", c: "10.0.0.3" },
      },
      { subnet: "fd00::/64", ipRange: "fd00::1:0/112", gateway: "fd00::1", auxAddresses: { b: "fd00::2" } },
    ]);
    assert.deepEqual(subnetsFromFlags(none), []);
  });

  const two = ["10.0.0.0/16", "10.1.0.0/16"];
  for (const [flags, message] of [
    [{ gateways: ["10.0.0.1"] }, "every ip-range or gateway must have a corresponding subnet"],
    [{ ipRanges: ["10.0.0.0/24"] }, "every ip-range or gateway must have a corresponding subnet"],
    [
      { subnets: ["10.0.0.0/8", "10.1.0.0/16"] },
      "multiple overlapping subnet configuration is not supported",
    ],
    [{ subnets: two, ipRanges: ["11.0.0.0/24"] }, "no matching subnet for range 11.0.0.0/24"],
    [
      { subnets: two, ipRanges: ["10.0.1.0/24", "10.0.2.0/24"] },
      "cannot configure multiple ranges (10.0.2.0/24, 10.0.1.0/24) on the same subnet (10.0.0.0/16)",
    ],
    [{ subnets: two, gateways: ["11.0.0.1"] }, "no matching subnet for gateway 11.0.0.1"],
    [
      { subnets: two, gateways: ["10.0.0.1", "10.0.0.2"] },
      "cannot configure multiple gateways (10.0.0.2, 10.0.0.1) for the same subnet (10.0.0.0/16)",
    ],
    [{ subnets: two, auxAddresses: { a: "11.0.0.1" } }, "no matching subnet for aux-address 11.0.0.1"],
    [{ subnets: ["ten"] }, 'invalid CIDR "ten": it should be ADDRESS/LENGTH'],
    [{ subnets: two, gateways: ["ten"] }, 'invalid address "ten"'],
  ] as const) {
    it(`refuses ${JSON.stringify(flags)}`, () => {
      assert.throws(() => subnetsFromFlags({ ...none, ...flags }), refusal("INVALID_IPAM_CONFIG", message));
    });
  }
});
