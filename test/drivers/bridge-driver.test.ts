import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Family,
  isWeftError,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
} from "../../src/core/index.ts";
import {
  BridgeDriver,
  type BridgeFacts,
  bridgeOption,
  type DriverNetwork,
  type DriverPool,
} from "../../src/drivers/index.ts";
import type { KernelObject, NftElementObject } from "../../src/kernel/index.ts";
import type { Wanted } from "../../src/plan/index.ts";
import { idOf } from "../cnm/samples.ts";
import { hostLink, parentFacts } from "./parent/parent-facts.ts";

const facts: BridgeFacts = {
  linkKind: () => undefined,
  forwardedBefore: () => false,
  forwardingLinks: () => [],
  forcedLinks: () => [],
  bridgesInUse: () => ["uplink0"],
  underlayPorts: () => [],
  smallLinks: () => [],
  linksWithAdvertisedRoute: () => [],
  ipv6Available: () => true,
  parents: parentFacts({}),
};

const v4: DriverPool = {
  family: 4,
  pool: parsePrefix("10.0.0.0/24"),
  gateway: parseInterfaceAddress("10.0.0.1/24"),
  auxAddresses: {},
};
const v6: DriverPool = {
  family: 6,
  pool: parsePrefix("fd00::/64"),
  gateway: parseInterfaceAddress("fd00::1/64"),
  auxAddresses: {},
};

type Asked = Partial<Omit<DriverNetwork, "answer">>;

function asked(more: Asked = {}): Omit<DriverNetwork, "answer"> {
  return {
    id: idOf("net"),
    name: "net",
    options: {},
    internal: false,
    ipv4: true,
    ipv6: false,
    pools: [v4],
    ...more,
  };
}

async function made(more: Asked, given: Partial<BridgeFacts> = {}): Promise<DriverNetwork> {
  const network = asked({ options: { [bridgeOption.name]: "br" }, ...more });
  return { ...network, answer: await new BridgeDriver({ ...facts, ...given }).createNetwork(network, []) };
}

/** A plan, a short line an object. */
function lines(plan: readonly Wanted[]): string[] {
  return plan.map(({ object, effects }) => {
    if (object.kind === "held") return `held ${object.id}`;
    return [line(object), ...(effects ?? []).map(({ effect }) => effect)].join(", ");
  });
}

function line(object: KernelObject): string {
  switch (object.kind) {
    case "link":
      return `${object.spec.type} ${object.name} mtu ${object.mtu ?? "-"}`;
    case "address":
      return `${object.address} on ${object.link}`;
    case "up":
      return `up ${object.link}`;
    case "sysctl":
      return `${object.key} = ${object.value}`;
    case "port":
      return `${object.link} in ${object.master}${object.isolated ? " isolated" : ""}`;
    case "nft-table":
      return `table ${object.definition.family}`;
    case "nft-element":
      return [object.set, String(object.element.key), ...dataOf(object)].join(" ");
    default:
      return object.kind;
  }
}

function dataOf({ element: { data } }: NftElementObject): readonly string[] {
  return data === undefined || "verdict" in data ? [] : [String(data)];
}

const plain = [
  "bridge br mtu -",
  "net/ipv6/conf/br/disable_ipv6 = 1",
  "10.0.0.1/24 on br",
  "up br",
  "net/ipv4/ip_forward = 1",
  "guarded uplink0",
  "foreign ipv4",
  "net/ipv4/conf/all/accept_redirects = 0",
  "table inet",
  "ifs br",
  "icc br,br",
  "own4 br,10.0.0.0/24",
  "bridges4 10.0.0.1",
  "pools4 10.0.0.0/24",
  "masq4 10.0.0.0/24",
];
/** What changes with a port of the bridge that leads to the underlay. */
const plumbed = [
  ...plain.filter((one) => one !== "bridges4 10.0.0.1"),
  "table bridge",
  "plumbed br",
  "segment br,br",
];
/** What makes the host forward, and nobody else's traffic by it. */
const wayOut = [
  "net/ipv4/ip_forward = 1",
  "guarded uplink0",
  "foreign ipv4",
  "net/ipv4/conf/all/accept_redirects = 0",
];
const without = (...gone: readonly string[]) => plain.filter((one) => !gone.includes(one));

const plans: readonly (readonly [string, Asked, Partial<BridgeFacts>, readonly string[]])[] = [
  ["a plain network", {}, {}, plain],
  [
    "an internal network: no forwarding, no masquerading",
    { internal: true },
    {},
    [...without(...wayOut, "pools4 10.0.0.0/24", "masq4 10.0.0.0/24"), "internal br"],
  ],
  ["without communication", { options: { [bridgeOption.icc]: "false" } }, {}, without("icc br,br")],
  ["without masquerading", { options: { [bridgeOption.masquerade]: "0" } }, {}, without("masq4 10.0.0.0/24")],
  [
    "without an IPv4 address",
    { options: { [bridgeOption.inhibitIpv4]: "" } },
    {},
    without("10.0.0.1/24 on br", "bridges4 10.0.0.1"),
  ],
  [
    "with an MTU",
    { options: { [bridgeOption.mtu]: "1400" } },
    {},
    ["bridge br mtu 1400", ...without("bridge br mtu -")],
  ],
  [
    "with an MTU too small for IPv6, which there is nothing to turn off of",
    { options: { [bridgeOption.mtu]: "1279" } },
    {},
    ["bridge br mtu 1279", ...without("bridge br mtu -", "net/ipv6/conf/br/disable_ipv6 = 1")],
  ],
  [
    "on a bridge that was found with such an MTU",
    {},
    {
      linkKind: () => "bridge",
      parents: parentFacts({ links: [hostLink("br", { kind: "bridge", mtu: 1279 })] }),
    },
    ["adopted br mtu -", ...without("bridge br mtu -", "net/ipv6/conf/br/disable_ipv6 = 1")],
  ],
  ["with an MTU of 0, which is none", { options: { [bridgeOption.mtu]: "0" } }, {}, plain],
  ["on a host that forwarded before", {}, { forwardedBefore: () => true }, without(...wayOut.slice(1))],
  [
    "on a host that forwarded by single links before",
    {},
    {
      forwardingLinks: (family) => (family === 4 ? ["up1", "default"] : ["up2"]),
      forcedLinks: () => ["up3"],
    },
    [
      ...plain,
      "net/ipv4/conf/up1/forwarding = 1",
      "net/ipv4/conf/default/forwarding = 1",
      "routers up1,ipv4",
    ],
  ],
  [
    "of IPv6 alone on a host that forwarded by single links before",
    { ipv4: false, ipv6: true, pools: [v6] },
    {
      forwardingLinks: (family) => (family === 4 ? ["up1"] : ["up2", "default"]),
      forcedLinks: () => ["up3"],
    },
    [
      "bridge br mtu -",
      "net/ipv6/conf/br/disable_ipv6 = 0",
      "net/ipv6/conf/br/accept_ra = 0",
      "fd00::1/64 on br",
      "up br",
      "guarded uplink0",
      "net/ipv6/conf/all/forwarding = 1",
      "foreign ipv6",
      "net/ipv6/conf/up2/forwarding = 1",
      "net/ipv6/conf/default/forwarding = 1",
      "routers up3,ipv6",
      "table inet",
      "ifs br",
      "icc br,br",
      "own6 br,fd00::/64",
      "bridges6 fd00::1",
      "pools6 fd00::/64",
      "masq6 fd00::/64",
    ],
  ],
  [
    "on a bridge that was there",
    {},
    { linkKind: () => "bridge" },
    ["adopted br mtu -", ...without("bridge br mtu -")],
  ],
  [
    "on a bridge that was there with a port to the underlay",
    {},
    { linkKind: () => "bridge", underlayPorts: () => ["eth2"] },
    [
      "adopted br mtu -",
      "adopted eth2 mtu -",
      // The host's own IPv6 is left alone.
      ...plumbed.filter((one) => !["bridge br mtu -", "net/ipv6/conf/br/disable_ipv6 = 1"].includes(one)),
    ],
  ],
  [
    "of IPv6 on a bridge by which the host lives",
    { ipv4: false, ipv6: true, pools: [v6] },
    {
      linkKind: () => "bridge",
      underlayPorts: () => ["eth2"],
      linksWithAdvertisedRoute: () => ["br"],
    },
    [
      "adopted br mtu -",
      "adopted eth2 mtu -",
      "net/ipv6/conf/br/disable_ipv6 = 0",
      "net/ipv6/conf/br/accept_ra = 2",
      "fd00::1/64 on br",
      "up br",
      "guarded uplink0",
      "net/ipv6/conf/all/forwarding = 1",
      "foreign ipv6",
      "table inet",
      "table bridge",
      "ifs br",
      "icc br,br",
      "plumbed br",
      "segment br,br",
      "own6 br,fd00::/64",
      "pools6 fd00::/64",
      "masq6 fd00::/64",
    ],
  ],
  [
    "on a bridge with such a port, on a kernel that cannot tell ports apart",
    {},
    {
      linkKind: () => "bridge",
      underlayPorts: () => ["eth2"],
      parents: parentFacts({ missing: ["nftables bridge"] }),
    },
    ["adopted br mtu -", ...without("bridge br mtu -")],
  ],
  [
    "on an internal bridge with a port to the underlay",
    { internal: true },
    { linkKind: () => "bridge", underlayPorts: () => ["eth2"] },
    [
      "adopted br mtu -",
      "adopted eth2 mtu -",
      ...without(...wayOut, "bridge br mtu -", "pools4 10.0.0.0/24", "masq4 10.0.0.0/24"),
      "internal br",
    ],
  ],
  [
    "with a parent",
    { options: { [bridgeOption.parent]: "eth2" } },
    { parents: parentFacts({ links: [hostLink("eth2", { mtu: 9000 })] }) },
    [
      "bridge br mtu 9000",
      ...plumbed.filter((one) => one !== "bridge br mtu -"),
      "adopted eth2 mtu -",
      "eth2 in br",
      "up eth2",
    ],
  ],
  [
    "with a VLAN that is to be made for its parent, and an MTU of its own",
    { options: { [bridgeOption.parent]: "eth2.10", [bridgeOption.mtu]: "1400" } },
    { parents: parentFacts({ links: [hostLink("eth2")] }) },
    [
      "bridge br mtu 1400",
      ...plumbed.filter((one) => one !== "bridge br mtu -"),
      "adopted eth2 mtu -",
      "vlan eth2.10 mtu 1500",
      "net/ipv6/conf/eth2.10/disable_ipv6 = 1",
      "up eth2.10",
      "eth2.10 in br",
    ],
  ],
  [
    "on a kernel without IPv6",
    {},
    { ipv6Available: () => false },
    without("net/ipv6/conf/br/disable_ipv6 = 1"),
  ],
  [
    "of both families, on a host that lives by router advertisements",
    { ipv6: true, pools: [v4, v6] },
    { linksWithAdvertisedRoute: () => ["wan"] },
    [
      "bridge br mtu -",
      "net/ipv6/conf/br/disable_ipv6 = 0",
      "net/ipv6/conf/br/accept_ra = 0",
      "10.0.0.1/24 on br",
      "fd00::1/64 on br",
      "up br",
      "net/ipv6/conf/wan/accept_ra = 2",
      "net/ipv4/ip_forward = 1",
      "guarded uplink0",
      "foreign ipv4",
      "net/ipv6/conf/all/forwarding = 1",
      "foreign ipv6",
      "net/ipv4/conf/all/accept_redirects = 0",
      "table inet",
      "ifs br",
      "icc br,br",
      "own4 br,10.0.0.0/24",
      "bridges4 10.0.0.1",
      "pools4 10.0.0.0/24",
      "masq4 10.0.0.0/24",
      "own6 br,fd00::/64",
      "bridges6 fd00::1",
      "pools6 fd00::/64",
      "masq6 fd00::/64",
    ],
  ],
  [
    "whose traffic leaves by an address of the host's",
    { options: { [bridgeOption.hostIpv4]: "192.0.2.9" } },
    {},
    [...without("masq4 10.0.0.0/24"), "snat4 10.0.0.0/24 192.0.2.9"],
  ],
  [
    "in gateway mode nat-unprotected",
    { options: { [bridgeOption.gatewayModeIpv4]: "nat-unprotected" } },
    {},
    [...plain, "unprotected br,ipv4"],
  ],
  [
    "in gateway mode routed",
    { options: { [bridgeOption.gatewayModeIpv4]: "routed" } },
    {},
    [...without("masq4 10.0.0.0/24"), "routed br,ipv4"],
  ],
  [
    "in gateway mode isolated",
    { internal: true, options: { [bridgeOption.gatewayModeIpv4]: "isolated" } },
    {},
    [
      ...without(
        ...wayOut,
        "10.0.0.1/24 on br",
        "bridges4 10.0.0.1",
        "pools4 10.0.0.0/24",
        "masq4 10.0.0.0/24",
      ),
      "internal br",
    ],
  ],
];

for (const [what, more, given, expected] of plans) {
  test(`the plan of ${what}`, async () => {
    const options = { [bridgeOption.name]: "br", ...more.options };
    const network = await made({ ...more, options }, given);
    assert.deepEqual(lines(new BridgeDriver(unasked).planNetwork(network)).sort(), [...expected].sort());
  });
}

test("a network meets the wire where its bridge has a port that leads to others", async () => {
  const driver = new BridgeDriver(facts);
  assert.equal(driver.underlay(await made({})), undefined);
  const parents = parentFacts({ links: [hostLink("eth2")] });
  const own = await made(
    { options: { [bridgeOption.name]: "br", [bridgeOption.parent]: "eth2" } },
    { parents },
  );
  assert.deepEqual(driver.underlay(own), { link: "br", port: "eth2", mtu: 1500, promiscuous: "always" });
  const theirs: Partial<BridgeFacts> = { linkKind: () => "bridge", underlayPorts: () => ["eth3", "eth4"] };
  assert.deepEqual(driver.underlay(await made({}, theirs))?.port, "eth3");
  assert.equal(driver.underlay(await made({ internal: true }, theirs)), undefined);
});

test("what has changed of a bridge's ports and of its parent is found again, and else nothing", async () => {
  const options = { [bridgeOption.name]: "br", [bridgeOption.parent]: "eth2" };
  const parents = parentFacts({ links: [hostLink("eth2")] });
  const network = await made({ options }, { parents });
  const again = (given: Partial<BridgeFacts>) =>
    new BridgeDriver({ ...facts, parents, ...given }).lookAgain(network);
  assert.equal(again({ underlayPorts: () => ["eth2"] }), undefined);
  assert.equal(again({ underlayPorts: () => [], parents: parentFacts({}) }), undefined, "it has gone");
  assert.deepEqual(again({ underlayPorts: () => ["eth1", "eth2"] })?.underlayPorts, ["eth1", "eth2"]);
  const larger = parentFacts({ links: [hostLink("eth2", { mtu: 9000 })] });
  assert.equal(again({ underlayPorts: () => ["eth2"], parents: larger })?.parent?.mtu, 9000);
});

test("settings of IPv6 on links that are too small for it are wanted when they have grown", async () => {
  const given: Partial<BridgeFacts> = {
    linksWithAdvertisedRoute: () => ["eth0"],
    forwardingLinks: (family) => (family === 6 ? ["default", "eth1"] : ["eth1"]),
  };
  const options = { [bridgeOption.name]: "br" };
  const network = await made({ ipv6: true, pools: [v4, v6], options }, given);
  const plan = (one: DriverNetwork) =>
    lines(new BridgeDriver(unasked).planNetwork(one)).filter((text) => /\/conf\/(eth|default)/.test(text));
  const four = "net/ipv4/conf/eth1/forwarding = 1";
  const six = [
    "net/ipv6/conf/eth0/accept_ra = 2",
    "net/ipv6/conf/default/forwarding = 1",
    "net/ipv6/conf/eth1/forwarding = 1",
  ];
  assert.deepEqual(plan(network).sort(), [four, ...six].sort());
  const small = new BridgeDriver({ ...facts, smallLinks: () => ["eth0", "eth1", "other"] });
  const answer = small.lookAgain(network);
  assert.deepEqual(answer?.smallLinks, ["eth0", "eth1"]);
  const shrunk = { ...network, answer: answer ?? {} };
  assert.deepEqual(plan(shrunk), [four, "net/ipv6/conf/default/forwarding = 1"]);
  assert.equal(small.lookAgain(shrunk), undefined, "nothing new");
  const grown = new BridgeDriver(facts).lookAgain(shrunk);
  assert.deepEqual(grown, network.answer);
});

test("a record of a former version says nothing of ports, and none are found", async () => {
  const { underlayPorts: _ports, ...former } = (await made({})).answer;
  assert.equal(new BridgeDriver(facts).lookAgain({ ...(await made({})), answer: former }), undefined);
});

/** Plans ask nothing. */
const refuse = (): never => {
  throw new Error("a plan read the host");
};
const unasked: BridgeFacts = {
  linkKind: refuse,
  forwardedBefore: refuse,
  forwardingLinks: refuse,
  forcedLinks: refuse,
  bridgesInUse: refuse,
  underlayPorts: refuse,
  smallLinks: refuse,
  linksWithAdvertisedRoute: refuse,
  ipv6Available: refuse,
  parents: {
    link: refuse,
    linksOn: refuse,
    addressesOn: refuse,
    missingModule: refuse,
    ipv6Available: refuse,
    ranksAdvertisedRoutes: refuse,
    users: refuse,
  },
};

test("the plan of an endpoint is a pair, its place in the bridge, its addresses, and an announcement when it is up", async () => {
  const network = await made({
    ipv6: true,
    pools: [v4, v6],
    options: { [bridgeOption.name]: "br", [bridgeOption.icc]: "f", [bridgeOption.mtu]: "1300" },
  });
  const endpoint = {
    id: idOf("e"),
    name: "e",
    options: {},
    addresses: [parseInterfaceAddress("10.0.0.2/24"), parseInterfaceAddress("fd00::2/64")],
    macAddress: parseMac("02:00:00:00:00:01"),
  };
  const host = `veth${idOf("e").slice(0, 11)}`;
  const plan = new BridgeDriver(unasked).planEndpoint(network, endpoint, {
    sandboxId: idOf("c"),
    netns: "/n/c",
    ifname: "eth7",
    publishes: false,
  });
  assert.deepEqual(lines(plan), [
    `veth ${host} mtu 1300`,
    "net/ipv6/conf/eth7/disable_ipv6 = 0",
    "net/ipv6/conf/eth7/accept_ra = 0",
    `${host} in br isolated`,
    "10.0.0.2/24 on eth7",
    "fd00::2/64 on eth7",
    `up ${host}`,
    "up eth7, announce",
  ]);
});

test("a network without a name for its bridge has one made of its id", async () => {
  const network = await made({ options: {} });
  assert.equal(network.answer.bridge, `br-${idOf("net").slice(0, 12)}`);
});

test("sandboxes get the network's gateways, or those of the auxiliary addresses of that name", async () => {
  const driver = new BridgeDriver(facts);
  const auxAddresses = { DefaultGatewayIPv4: parseInterfaceAddress("10.0.0.9/24") };
  const gateways = async (more: Asked) => (await driver.join(await made(more))).gateways;
  assert.deepEqual(await gateways({}), ["10.0.0.1"]);
  assert.deepEqual(await gateways({ ipv6: true, pools: [v4, v6] }), ["10.0.0.1", "fd00::1"]);
  assert.deepEqual(await gateways({ pools: [{ ...v4, auxAddresses }] }), ["10.0.0.9"]);
  assert.deepEqual(await gateways({ internal: true }), []);
});

test("no gateway is taken where nobody would hold it", () => {
  const driver = new BridgeDriver(facts);
  const options = { [bridgeOption.inhibitIpv4]: "true" };
  assert.deepEqual(driver.checkNetwork(asked({ options, internal: true })), { skipGateway: [4] });
  assert.deepEqual(driver.checkNetwork(asked({ options })), { skipGateway: [] });
});

const other = (more: Asked = {}): DriverNetwork => ({
  ...asked({ id: idOf("other"), name: "other", ...more }),
  answer: { bridge: "br-other" },
});

const refusals: readonly (readonly [
  string,
  Asked,
  Partial<BridgeFacts>,
  readonly DriverNetwork[],
  RegExp,
])[] = [
  [
    "another's bridge",
    { options: { [bridgeOption.name]: "br-other" } },
    {},
    [other({ pools: [] })],
    /same bridge name$/,
  ],
  [
    "a pool that overlaps another's, by other IPAM",
    { pools: [{ ...v4, pool: parsePrefix("10.0.0.128/25") }] },
    {},
    [other()],
    /^cannot create network net \(10\.0\.0\.128\/25\): conflicts with network other: networks have overlapping IPv4$/,
  ],
  [
    "two pools of a family",
    { pools: [v4, { ...v4, pool: parsePrefix("10.9.0.0/24") }] },
    {},
    [],
    /multiple subnets$/,
  ],
  [
    "IPv6 without IPv6",
    { ipv6: true, pools: [v6] },
    { ipv6Available: () => false },
    [],
    /IPv6 is not enabled/,
  ],
  [
    "a device in the bridge's place",
    { options: { [bridgeOption.name]: "wan" } },
    { linkKind: () => "device" },
    [],
    /of kind device$/,
  ],
  [
    "a bridge of weft's own name",
    {},
    { linkKind: () => "bridge" },
    [],
    /has an interface br-[0-9a-f]{12} already/,
  ],
];

const { name: bridgeName, parent, mtu } = bridgeOption;
const links = [
  hostLink("lo", { loopback: true }),
  hostLink("eth2"),
  hostLink("eth3", { master: "br9" }),
  hostLink("eth4", { master: "bond0" }),
  hostLink("eth5", { up: false }),
  hostLink("br9", { kind: "bridge" }),
  hostLink("bond0", { kind: "bond" }),
  hostLink("tun0", { kind: "tun", mac: undefined }),
];

/** Refusals of a parent; nothing of the kernel is asked for then. */
const parentRefusals: readonly (readonly [
  string,
  Asked,
  Partial<BridgeFacts>,
  readonly DriverNetwork[],
  RegExp,
])[] = (
  [
    ["loopback as parent", { [parent]: "lo" }, {}, /^loopback interface is not a valid bridge parent link$/],
    [
      "a bridge as parent",
      { [parent]: "br9" },
      {},
      /^invalid com\.docker\.network\.bridge\.parent br9: it is a bridge: use it as the network's by com\.docker\.network\.bridge\.name$/,
    ],
    [
      "a port of another bridge as parent",
      { [parent]: "eth3" },
      {},
      /^parent interface eth3 is a port of bridge br9 already: use that as the network's by com\.docker\.network\.bridge\.name, or take it out first \(ip link set eth3 nomaster\)$/,
    ],
    [
      "a port of the bridge itself as parent",
      { [parent]: "eth3", [bridgeName]: "br9" },
      { linkKind: () => "bridge" },
      /^parent interface eth3 is a port of bridge br9 already: leave out com\.docker\.network\.bridge\.parent$/,
    ],
    ["a member of a bond as parent", { [parent]: "eth4" }, {}, /is a port of bond0, which gets its frames/],
    [
      "a parent with a macvlan on it",
      { [parent]: "eth2" },
      { parents: { ...parentFacts({ links }), linksOn: () => [hostLink("mv0", { kind: "macvlan" })] } },
      /^parent interface eth2 has mv0 on it, of kind macvlan: it cannot serve bridge port besides$/,
    ],
    ["a link without Ethernet as parent", { [parent]: "tun0" }, {}, /no Ethernet link/],
    [
      "a parent with addresses",
      { [parent]: "eth2" },
      { parents: parentFacts({ links, addresses: { eth2: ["192.0.2.5/24"] } }) },
      /^parent interface eth2 has addresses of its own, which the host would lose: 192\.0\.2\.5\/24: remove them first/,
    ],
    ["a parent that is not there", { [parent]: "eth9" }, {}, /the host has no interface eth9$/],
    [
      "a parent on a kernel that cannot tell ports apart",
      { [parent]: "eth2" },
      { parents: parentFacts({ links, missing: ["nftables bridge"] }) },
      /^this kernel lacks nftables bridge, which a bridge network with a parent needs: /,
    ],
    ["a VLAN of a link that is down", { [parent]: "eth5.10" }, {}, /^interface eth5 is down/],
    [
      "a VLAN that none can be",
      { [parent]: "eth2.4095" },
      {},
      /^vlan id must be between 1-4094, received: 4095$/,
    ],
    [
      "an MTU above the parent's",
      { [parent]: "eth2", [mtu]: "1501" },
      {},
      /^invalid MTU number: 1501: parent interface eth2 has 1500, and no link on it can have more$/,
    ],
    [
      "the parent of another network",
      { [parent]: "eth2" },
      {
        parents: parentFacts({
          links,
          users: [
            {
              network: "first",
              use: "bridge port",
              parent: { origin: "adopted", link: "eth2", mtu: 1500 },
            },
          ],
        }),
      },
      /^network first is already using parent interface eth2: it serves one bridge port network$/,
    ],
  ] as const
).map(([what, options, given, words]) => [
  what,
  { options },
  { parents: parentFacts({ links }), ...given },
  [],
  words,
]);

for (const [what, more, given, others, words] of [...refusals, ...parentRefusals]) {
  test(`${what} is refused`, async () => {
    await assert.rejects(
      new BridgeDriver({ ...facts, ...given }).createNetwork(asked(more), others),
      (error) => {
        assert.ok(isWeftError(error), String(error));
        assert.match(error.message, words);
        return true;
      },
    );
  });
}

test("what forwarded before is asked for each family", async () => {
  const families: Family[] = [];
  await made({}, { forwardedBefore: (family) => families.push(family) > 9 });
  assert.deepEqual(families, [4, 6]);
});
