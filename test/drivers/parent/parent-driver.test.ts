import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, parseInterfaceAddress, parseMac, parsePrefix } from "../../../src/core/index.ts";
import {
  type DriverEndpoint,
  type DriverNetwork,
  type DriverPool,
  IpvlanDriver,
  MacvlanDriver,
  type ParentFacts,
} from "../../../src/drivers/index.ts";
import type { KernelObject } from "../../../src/kernel/index.ts";
import type { Wanted } from "../../../src/plan/index.ts";
import { idOf } from "../../cnm/samples.ts";
import { hostLink, parentFacts } from "./parent-facts.ts";

const pool = (prefix: string, gateway?: string): DriverPool => ({
  family: prefix.includes(":") ? 6 : 4,
  pool: parsePrefix(prefix),
  gateway: gateway === undefined ? undefined : parseInterfaceAddress(gateway),
  auxAddresses: {},
});
const four = pool("192.0.2.0/24");
const six = pool("2001:db8::/64");

const facts = parentFacts({ links: [hostLink("eth0"), hostLink("eth1", { mtu: 9000 })] });
const drivers = {
  macvlan: (given: ParentFacts) => new MacvlanDriver(given),
  ipvlan: (given: ParentFacts) => new IpvlanDriver(given),
} as const;

interface Asked extends Partial<Omit<DriverNetwork, "answer">> {
  readonly driver?: keyof typeof drivers;
}

async function made({ driver: name = "macvlan", ...more }: Asked, given = facts) {
  const driver = drivers[name](given);
  const options = { parent: "eth0", ...more.options };
  const asked = { id: idOf("net"), name: "net", internal: false, ipv4: true, ipv6: false, pools: [four] };
  const network = { ...asked, ...more, options };
  return { driver, network: { ...network, answer: await driver.createNetwork(network) } };
}

/** An endpoint with an address of the first subnet of each family. */
function endpointOf({ pools }: Pick<DriverNetwork, "pools">, mac = true): DriverEndpoint {
  const families = new Set(pools.map(({ family }) => family));
  return {
    id: idOf("e1"),
    name: "e1",
    options: {},
    addresses: [
      ...(families.has(4) ? [parseInterfaceAddress("192.0.2.7/24")] : []),
      ...(families.has(6) ? [parseInterfaceAddress("2001:db8::7/64")] : []),
    ],
    macAddress: mac ? parseMac("02:00:00:00:00:07") : undefined,
  };
}

/** The plan of an endpoint, a short line an object. */
function lines(plan: readonly Wanted[]): string[] {
  return plan.map(({ object, effects = [] }) => {
    if (object.kind === "held") return object.id;
    const told = effects.map(
      (effect) => `${effect.effect} ${effect.effect === "announce" ? (effect.mac ?? "its own") : ""}`,
    );
    return [line(object), ...told].join(", ");
  });
}

function line(object: KernelObject): string {
  switch (object.kind) {
    case "link": {
      const { spec, mtu, mac } = object;
      const words = Object.values(spec).join(" ");
      return `${object.name}: ${words}, mtu ${mtu}${mac === undefined ? "" : `, ${mac}`}`;
    }
    case "address":
      return object.address;
    case "sysctl":
      return `${object.key.replace("net/ipv6/conf/eth0/", "")} = ${object.value}`;
    default:
      return object.kind;
  }
}

async function endpointLines(asked: Asked, given = facts): Promise<readonly string[]> {
  const { driver, network } = await made(asked, given);
  const join = { sandboxId: idOf("c1"), netns: "/n/c1", ifname: "eth0", publishes: true };
  return lines(driver.planEndpoint(network, endpointOf(network, !driver.sharesMac(network)), join));
}

const mac = "02:00:00:00:00:07";
const own = `eth0: macvlan eth0 bridge, mtu 1500, ${mac}`;
const both = { ipv6: true, pools: [four, six] };
const withGateway = { ipv6: true, pools: [four, pool("2001:db8::/64", "2001:db8::1/64")] };
const dual = ["192.0.2.7/24", "2001:db8::7/64"];
const advertised = ["disable_ipv6 = 0", "accept_ra = 1", "autoconf = 0", "ra_defrtr_metric = 2048"];
const deaf = ["disable_ipv6 = 0", "accept_ra = 0"];
const ipvlan = (mode: string, more: Asked = {}): Asked => ({
  driver: "ipvlan",
  ...more,
  options: { ipvlan_mode: mode, ...more.options },
});

const plans: readonly (readonly [string, Asked, readonly string[]])[] = [
  [
    "macvlan has a MAC address of its own and tells who it is",
    {},
    [own, "disable_ipv6 = 1", "192.0.2.7/24", `up, announce ${mac}`],
  ],
  [
    "macvlan listens to routers where nobody named an IPv6 gateway",
    both,
    [own, ...advertised, ...dual, `up, announce ${mac}`],
  ],
  ["and not where somebody did", withGateway, [own, ...deaf, ...dual, `up, announce ${mac}`]],
  [
    "nor when the network is internal",
    { ...both, internal: true },
    [own, ...deaf, ...dual, `up, announce ${mac}`],
  ],
  [
    "macvlan private with a smaller MTU",
    { options: { macvlan_mode: "private", "com.docker.network.driver.mtu": "1400" } },
    [
      `eth0: macvlan eth0 private, mtu 1400, ${mac}`,
      "disable_ipv6 = 1",
      "192.0.2.7/24",
      `up, announce ${mac}`,
    ],
  ],
  [
    "an MTU too small for IPv6 leaves none to turn off",
    { options: { "com.docker.network.driver.mtu": "1279" } },
    [`eth0: macvlan eth0 bridge, mtu 1279, ${mac}`, "192.0.2.7/24", `up, announce ${mac}`],
  ],
  [
    "macvlan passthru has its parent's MAC address",
    { options: { macvlan_mode: "passthru" } },
    ["eth0: macvlan eth0 passthru, mtu 1500", "disable_ipv6 = 1", "192.0.2.7/24", "up, announce its own"],
  ],
  [
    "macvlan has its parent's MTU",
    { options: { parent: "eth1" } },
    [
      `eth0: macvlan eth1 bridge, mtu 9000, ${mac}`,
      "disable_ipv6 = 1",
      "192.0.2.7/24",
      `up, announce ${mac}`,
    ],
  ],
  [
    "ipvlan l2 is on the wire with its parent's MAC address",
    ipvlan("l2", both),
    ["eth0: ipvlan eth0 l2 bridge, mtu 1500", ...advertised, ...dual, "up, announce its own"],
  ],
  [
    "ipvlan l3 hears no router and announces nothing",
    ipvlan("l3", { ...both, options: { ipvlan_flag: "vepa" } }),
    ["eth0: ipvlan eth0 l3 vepa, mtu 1500", ...deaf, ...dual, "up"],
  ],
  [
    "so does ipvlan l3s",
    ipvlan("l3s", { options: { ipvlan_flag: "private" } }),
    ["eth0: ipvlan eth0 l3s private, mtu 1500", "disable_ipv6 = 1", "192.0.2.7/24", "up"],
  ],
];

for (const [what, asked, expected] of plans)
  test(what, async () => assert.deepEqual(await endpointLines(asked), expected));

test("a kernel without IPv6 has no sysctls of it, and one before 5.12 ranks no advertised routes", async () => {
  const links = [hostLink("eth0")];
  assert.deepEqual(await endpointLines({}, parentFacts({ links, ipv6: false })), [
    own,
    "192.0.2.7/24",
    `up, announce ${mac}`,
  ]);
  const old = await endpointLines(both, parentFacts({ links, ranks: false }));
  assert.deepEqual(old, [own, ...advertised.slice(0, 3), ...dual, `up, announce ${mac}`]);
});

test("a way out is the gateway that was named, or an l3 link itself, and none of an internal network", async () => {
  const gateways = {
    ipv6: true,
    pools: [pool("192.0.2.0/24", "192.0.2.1/24"), pool("198.51.100.0/24", "198.51.100.1/24"), six],
  };
  const ways = async (asked: Asked) => {
    const { driver, network } = await made(asked);
    const answer = await driver.join(network, endpointOf(network, false));
    return [...answer.gateways, ...(answer.defaultOnLink ?? []), answer.disableGatewayService];
  };
  assert.deepEqual(await ways({}), [false]);
  assert.deepEqual(await ways(gateways), ["192.0.2.1", false], "of the subnet that the endpoint is in");
  assert.deepEqual(await ways({ ...gateways, internal: true }), [true]);
  assert.deepEqual(await ways(ipvlan("l2", gateways)), ["192.0.2.1", false]);
  assert.deepEqual(await ways(ipvlan("l3", gateways)), [4, 6, false]);
  assert.deepEqual(await ways(ipvlan("l3s", { ...gateways, internal: true })), [true]);
});

test("a network whose parent has gone is joined by nobody", async () => {
  const links = [hostLink("eth0")];
  const { driver, network } = await made({}, parentFacts({ links }));
  links.pop();
  await assert.rejects(
    () => driver.join(network, endpointOf(network)),
    (error) => isWeftError(error, "PARENT_MISSING"),
  );
});

test("a parent by which the host is reached is given to no sandbox whole", async () => {
  const asked = { options: { macvlan_mode: "passthru" } };
  const addresses: Record<string, string[]> = {};
  const given = parentFacts({ links: [hostLink("eth0")], addresses });
  const { driver, network } = await made(asked, given);
  await driver.join(network, endpointOf(network, false));
  addresses.eth0 = ["192.0.2.5/24"];
  const refusal = {
    code: "PARENT_HAS_ADDRESSES",
    message:
      "parent interface eth0 has addresses of its own, which the host would lose: 192.0.2.5/24: " +
      "remove them first and reach the host by another interface, or use another macvlan_mode",
  };
  await assert.rejects(() => made(asked, given), refusal);
  await assert.rejects(() => driver.join(network, endpointOf(network, false)), refusal);
  for (const mode of ["bridge", "private", "vepa"]) await made({ options: { macvlan_mode: mode } }, given);
});

test("where a network meets the wire is told with what sandboxes need there", async () => {
  const underlayOf = async (asked: Asked) => {
    const { driver, network } = await made(asked);
    return driver.underlay(network);
  };
  assert.deepEqual(await underlayOf({}), { link: "eth0", mtu: 1500 });
  const mtu = { "com.docker.network.driver.mtu": "1400" };
  assert.deepEqual(await underlayOf({ options: { parent: "eth1", ...mtu } }), { link: "eth1", mtu: 1400 });
  assert.deepEqual(await underlayOf({ options: { macvlan_mode: "passthru" } }), {
    link: "eth0",
    mtu: 1500,
    sharesMac: true,
    promiscuous: "while joined",
  });
  assert.deepEqual(await underlayOf(ipvlan("l2")), { link: "eth0", mtu: 1500, sharesMac: true });
  for (const mode of ["l3", "l3s"])
    assert.deepEqual(await underlayOf(ipvlan(mode)), {
      link: "eth0",
      mtu: 1500,
      routed: true,
      sharesMac: true,
    });
  assert.equal(await underlayOf({ options: { parent: "" } }), undefined);
});

test("addresses are asked for without a gateway, and a network without a parent is internal", () => {
  for (const make of Object.values(drivers)) {
    const needs = (options: Readonly<Record<string, string>>) =>
      make(facts).checkNetwork({ options, ipv4: true, ipv6: false });
    assert.deepEqual(needs({ parent: "eth0" }), { skipGateway: [4, 6] });
    assert.deepEqual(needs({}), { skipGateway: [4, 6], internal: true });
    assert.deepEqual(needs({ parent: "" }), { skipGateway: [4, 6], internal: true });
  }
});

test("a changed MTU is a new answer, by which endpoints are planned anew", async () => {
  const links = [hostLink("eth0")];
  const { driver, network } = await made(
    { options: { "com.docker.network.driver.mtu": "1400" } },
    parentFacts({ links }),
  );
  assert.equal(driver.lookAgain(network), undefined);
  const mtuWith = (mtu: number) => {
    links[0] = hostLink("eth0", { mtu });
    const answer = driver.lookAgain(network);
    assert.ok(answer !== undefined);
    const join = { sandboxId: idOf("c1"), netns: "/n/c1", ifname: "eth0", publishes: false };
    const [link] = driver.planEndpoint({ ...network, answer }, endpointOf(network), join);
    return link?.object.kind === "link" ? link.object.mtu : undefined;
  };
  assert.equal(mtuWith(1300), 1300);
  assert.equal(mtuWith(9000), 1400, "never more than was asked for");
});

test("nobody joins with IPv6 once the parent's MTU is too small, and with less than was asked for everybody may", async () => {
  const links = [hostLink("eth0")];
  const given = parentFacts({ links });
  const options = { "com.docker.network.driver.mtu": "1400" };
  for (const ipv6 of [false, true]) {
    const { driver, network } = await made({ options, ...(ipv6 ? both : {}) }, given);
    const joinWith = (mtu: number) => {
      links[0] = hostLink("eth0", { mtu });
      const now = { ...network, answer: driver.lookAgain(network) ?? network.answer };
      return driver.join(now, endpointOf(network));
    };
    await joinWith(1280);
    const small = joinWith(1279);
    if (ipv6) await assert.rejects(() => small, /parent interface eth0 has an MTU of 1279: IPv6 needs 1280/);
    else await small;
    links[0] = hostLink("eth0");
  }
});

test("what the driver's feature is missing is refused with its module", async () => {
  const links = [hostLink("eth0")];
  for (const driver of ["macvlan", "ipvlan"] as const)
    await assert.rejects(
      () => made({ driver }, parentFacts({ links, missing: [driver] })),
      (error) => isWeftError(error, "FEATURE_MISSING") && error.message.includes(`module of ${driver}`),
    );
});
