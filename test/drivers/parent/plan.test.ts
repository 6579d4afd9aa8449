import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParentAnswer } from "../../../src/drivers/index.ts";
import { lookAgain, planParent } from "../../../src/drivers/parent/index.ts";
import type { ParentRequest } from "../../../src/drivers/parent/parent-request.ts";
import type { HostLink } from "../../../src/facts/index.ts";
import { hostLink, parentFacts } from "./parent-facts.ts";

const made: ParentAnswer = {
  origin: "made",
  link: "eth0.10",
  mtu: 1500,
  vlan: { parent: "eth0", id: 10 },
  ipv6Available: true,
};
const dummy: ParentAnswer = { origin: "dummy", link: "dm-1", mtu: 1400, ipv6Available: false };
const adopted: ParentAnswer = { origin: "adopted", link: "eth0", mtu: 1500 };

const asked = { use: "macvlan" } as const;

const silenced = {
  kind: "sysctl",
  netns: "host",
  key: "net/ipv6/conf/eth0.10/disable_ipv6",
  value: "1",
  link: "eth0.10",
};
const foreign = { kind: "link", netns: "host", name: "eth0", spec: { type: "adopted" } };

const plans: readonly (readonly [string, ParentAnswer, readonly unknown[]])[] = [
  ["an adopted link has to be there", adopted, [foreign]],
  [
    "a VLAN sub-interface is made and up, and the host itself stays off it",
    made,
    [
      {
        kind: "link",
        netns: "host",
        name: "eth0.10",
        mtu: 1500,
        spec: { type: "vlan", parent: "eth0", id: 10, protocol: "802.1Q" },
        alias: "weft VLAN 10 of eth0",
      },
      silenced,
      { kind: "up", netns: "host", link: "eth0.10" },
      foreign,
    ],
  ],
  [
    "with an MTU too small for IPv6 there is none to stay off",
    { ...made, mtu: 1279 },
    [
      {
        kind: "link",
        netns: "host",
        name: "eth0.10",
        mtu: 1279,
        spec: { type: "vlan", parent: "eth0", id: 10, protocol: "802.1Q" },
        alias: "weft VLAN 10 of eth0",
      },
      { kind: "up", netns: "host", link: "eth0.10" },
      foreign,
    ],
  ],
  [
    "a dummy is made and up, on a kernel without IPv6",
    dummy,
    [
      { kind: "link", netns: "host", name: "dm-1", mtu: 1400, spec: { type: "dummy" } },
      { kind: "up", netns: "host", link: "dm-1" },
    ],
  ],
];

for (const [what, answer, objects] of plans)
  test(what, () =>
    assert.deepEqual(
      planParent(answer).map(({ object }) => object),
      objects,
    ),
  );

test("a parent's MTU is followed: a made one's from the link below", () => {
  const own = hostLink("eth0.10", { mtu: 1500, ours: true });
  const facts = parentFacts({ links: [hostLink("eth0", { mtu: 9000 }), own] });
  assert.deepEqual(lookAgain(made, asked, facts), { ...made, mtu: 9000 });
  assert.deepEqual(lookAgain(adopted, asked, facts), { ...adopted, mtu: 9000 });
  assert.equal(lookAgain(dummy, asked, facts), dummy);
});

test("a record that names the link below by another name of its own comes to name it by its own", () => {
  const facts = parentFacts({ links: [hostLink("eth0")], altnames: { enp0s8: "eth0" } });
  const recorded: ParentAnswer = { ...made, vlan: { parent: "enp0s8", id: 10 } };
  assert.deepEqual(lookAgain(recorded, asked, facts), made);
});

test("what did not change, or is not there, is answered as it was", () => {
  const vlan = { parent: "eth0", id: 4, protocol: "802.1Q" } as const;
  const given = parentFacts({ links: [hostLink("eth0"), hostLink("voice", { kind: "vlan", vlan })] });
  const voice: ParentAnswer = { origin: "adopted", link: "voice", mtu: 1500, vlan };
  for (const parent of [made, adopted, dummy, voice]) {
    assert.equal(lookAgain(parent, asked, given), parent);
    assert.equal(lookAgain(parent, asked, parentFacts({})), parent);
    const recorded: ParentAnswer = JSON.parse(JSON.stringify(parent));
    assert.equal(lookAgain(recorded, asked, given), recorded);
  }
});

const vlan = { parent: "eth0", id: 10, protocol: "802.1Q" } as const;
const persons = (more: Partial<HostLink> = {}) =>
  hostLink("eth0.10", { kind: "vlan", vlan, mtu: 1400, ...more });
const taken: ParentAnswer = { origin: "adopted", link: "eth0.10", mtu: 1400, vlan };
const ipvlan = { type: "ipvlan", parent: "eth0.10", mode: "l2", flag: "bridge" } as const;
const theirIpvlan = (mode: string) =>
  hostLink("iv0", {
    kind: "ipvlan",
    vlan: { ...vlan, parent: "eth0.10" },
    onParent: { mode, flag: "bridge" },
  });

const standIns: readonly (readonly [
  what: string,
  answer: ParentAnswer,
  links: readonly HostLink[],
  asked: Pick<ParentRequest, "use" | "spec">,
  addresses?: readonly string[],
])[] = [
  ["the same VLAN", taken, [persons()], asked],
  ["the same VLAN with addresses, which it keeps", taken, [persons()], asked, ["192.0.2.5/24"]],
  ["a bare one, for passthru", taken, [persons()], { use: "macvlan passthru" }],
  ["one with addresses, for passthru", made, [persons()], { use: "macvlan passthru" }, ["192.0.2.5/24"]],
  ["a bare one, as a port", taken, [persons()], { use: "bridge port" }],
  ["one with addresses, as a port", made, [persons()], { use: "bridge port" }, ["192.0.2.5/24"]],
  ["one that is a bridge's port", made, [persons({ master: "br0" })], asked],
  ["one with a macvlan's taker on it", made, [persons(), theirIpvlan("l2")], asked],
  ["one with the same ipvlans on it", taken, [persons(), theirIpvlan("l2")], { use: "ipvlan", spec: ipvlan }],
  ["one with other ipvlans on it", made, [persons(), theirIpvlan("l3")], { use: "ipvlan", spec: ipvlan }],
  ["another VLAN of that name", made, [persons({ vlan: { ...vlan, id: 20 } })], asked],
  ["that VLAN of another link", made, [persons({ vlan: { ...vlan, parent: "eth1" } })], asked],
  ["that VLAN by other tags", made, [persons({ vlan: { ...vlan, protocol: "802.1ad" } })], asked],
  ["what is no VLAN at all", made, [hostLink("eth0.10", { kind: "dummy" })], asked],
];

for (const [what, answer, links, one, addresses = []] of standIns)
  test(`in the place of a VLAN sub-interface of weft's is somebody's: ${what}`, () => {
    const given = parentFacts({ links: [hostLink("eth0"), ...links], addresses: { "eth0.10": addresses } });
    assert.deepEqual(lookAgain(made, one, given), answer);
  });
