import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../../src/core/index.ts";
import type { ParentUse, ParentUser } from "../../../src/drivers/index.ts";
import { dummyParent, findParent } from "../../../src/drivers/parent/index.ts";
import { parseVlanName } from "../../../src/drivers/parent/vlan-name.ts";
import type { HostLink } from "../../../src/facts/index.ts";
import type { IpvlanSpec } from "../../../src/kernel/index.ts";
import { idOf } from "../../cnm/samples.ts";
import { hostLink, parentFacts } from "./parent-facts.ts";

const vlanLink = (name: string, parent: string, id: number, more: Partial<HostLink> = {}) =>
  hostLink(name, { kind: "vlan", vlan: { parent, id, protocol: "802.1Q" }, ...more });

const host = {
  links: [
    hostLink("lo", { loopback: true, mac: undefined }),
    hostLink("eth0"),
    hostLink("eth1", { mtu: 9000 }),
    hostLink("eth2", { up: false }),
    hostLink("eth3", { master: "br0" }),
    hostLink("eth4", { master: "vrf0" }),
    hostLink("br0", { kind: "bridge" }),
    hostLink("vrf0", { kind: "vrf" }),
    hostLink("wg0", { kind: "wireguard", mac: undefined, mtu: 1420 }),
    hostLink("mv0", { kind: "macvlan" }),
    hostLink("br-abc", { kind: "bridge", ours: true }),
    vlanLink("eth0.10", "eth0", 10),
    vlanLink("voice", "eth0", 20, { mtu: 1400 }),
    vlanLink("eth1.7", "eth1", 7, { ours: true }),
    vlanLink("lost", "", 8, { vlan: { id: 8, protocol: "802.1ad" } }),
  ],
};
const facts = parentFacts(host);

/** Asks for `parent`; gives what was found, or the refusal. */
function find(parent: string, use: ParentUse = "macvlan", given = facts): unknown {
  try {
    return findParent({ driver: use.split(" ")[0] ?? "", parent, use }, given);
  } catch (error) {
    if (!isWeftError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const found: readonly (readonly [what: string, parent: string, answer: unknown])[] = [
  ["a link that is there", "eth0", { origin: "adopted", link: "eth0", mtu: 1500 }],
  ["a bridge", "br0", { origin: "adopted", link: "br0", mtu: 1500 }],
  ["a link that is down, for it may come up later", "eth2", { origin: "adopted", link: "eth2", mtu: 1500 }],
  ["a member of a VRF", "eth4", { origin: "adopted", link: "eth4", mtu: 1500 }],
  [
    "a VLAN sub-interface that a person made",
    "eth0.10",
    {
      origin: "adopted",
      link: "eth0.10",
      mtu: 1500,
      vlan: { parent: "eth0", id: 10, protocol: "802.1Q" },
    },
  ],
  [
    "one of another name",
    "voice",
    { origin: "adopted", link: "voice", mtu: 1400, vlan: { parent: "eth0", id: 20, protocol: "802.1Q" } },
  ],
  [
    "one whose parent is elsewhere",
    "lost",
    { origin: "adopted", link: "lost", mtu: 1500, vlan: { id: 8, protocol: "802.1ad" } },
  ],
  [
    "a VLAN sub-interface that is missing",
    "eth1.100",
    { origin: "made", link: "eth1.100", mtu: 9000, vlan: { parent: "eth1", id: 100 }, ipv6Available: true },
  ],
  [
    "one on a port of a bridge, which leaves it its frames",
    "eth3.5",
    { origin: "made", link: "eth3.5", mtu: 1500, vlan: { parent: "eth3", id: 5 }, ipv6Available: true },
  ],
  [
    "one on a VLAN sub-interface",
    "eth0.10.30",
    {
      origin: "made",
      link: "eth0.10.30",
      mtu: 1500,
      vlan: { parent: "eth0.10", id: 30 },
      ipv6Available: true,
    },
  ],
  [
    "one that weft made, and that nobody has any more",
    "eth1.7",
    { origin: "made", link: "eth1.7", mtu: 9000, vlan: { parent: "eth1", id: 7 }, ipv6Available: true },
  ],
];

for (const [what, parent, answer] of found)
  test(`a parent is found: ${what}`, () => assert.deepEqual(find(parent), answer));

const refused: readonly (readonly [parent: string, use: ParentUse, refusal: RegExp])[] = [
  ["lo", "macvlan", /^INVALID_OPTION: loopback interface is not a valid macvlan parent link$/],
  ["lo", "ipvlan", /^INVALID_OPTION: loopback interface is not a valid ipvlan parent link$/],
  ["lo.10", "macvlan", /^INVALID_OPTION: loopback interface is not a valid macvlan parent link$/],
  [
    "eth9",
    "macvlan",
    /^PARENT_MISSING: invalid subinterface vlan name eth9, example formatting is eth0.10: .* no interface eth9$/,
  ],
  ["eth0.x", "macvlan", /^PARENT_MISSING: invalid subinterface vlan name eth0.x, example/],
  ["eth0.010", "macvlan", /^PARENT_MISSING: invalid subinterface vlan name eth0.010, example/],
  [
    "eth9.10",
    "macvlan",
    /^PARENT_MISSING: parent interface eth9.10 cannot be made: the host has no interface eth9$/,
  ],
  ["eth0.0", "macvlan", /^INVALID_OPTION: vlan id must be between 1-4094, received: 0$/],
  ["eth0.4095", "ipvlan", /^INVALID_OPTION: vlan id must be between 1-4094, received: 4095$/],
  ["eth2.10", "macvlan", /^PARENT_DOWN: interface eth2 is down, .*ip link set eth2 up/],
  ["eth0.20", "macvlan", /^PARENT_IN_USE: VLAN 20 of eth0 is interface voice already: name that as parent$/],
  ["eth1.7.9", "macvlan", /^INVALID_OPTION: invalid parent interface eth1.7: weft made it/],
  ["br-abc", "macvlan", /^INVALID_OPTION: invalid parent interface br-abc: weft made it \(bridge\)/],
  ["wg0", "macvlan", /^INVALID_OPTION: invalid parent interface wg0: it is no Ethernet link/],
  ["mv0", "macvlan", /^INVALID_OPTION: invalid parent interface mv0: it is of kind macvlan: name the link/],
  ["eth3", "macvlan", /^PARENT_IN_USE: parent interface eth3 is a port of br0, which gets its frames/],
  [
    "eth4",
    "bridge port",
    /^PARENT_IN_USE: parent interface eth4 is a member of VRF vrf0, which it would leave: take it out first$/,
  ],
  ["eth3", "bridge port", /^PARENT_IN_USE: parent interface eth3 is a port of br0/],
  [
    "a-very-long-name.10",
    "macvlan",
    /^INVALID_OPTION: invalid parent interface "a-very-long-name.10": .* 15/,
  ],
  ["eth0/1", "macvlan", /^INVALID_OPTION: invalid parent interface "eth0\/1"/],
];

for (const [parent, use, refusal] of refused)
  test(`parent ${parent} is refused for ${use}`, () => assert.match(String(find(parent, use)), refusal));

const user = (use: ParentUse, link = "eth0"): ParentUser => ({
  network: "there",
  use,
  parent: { origin: "adopted", link, mtu: 1500 },
});
const uses = ["macvlan", "macvlan passthru", "ipvlan", "bridge port"] as const;

for (const there of uses)
  for (const asked of uses) {
    const together = there === "macvlan" && asked === "macvlan";
    test(`a parent with ${there} has ${together ? "" : "no "}room for ${asked}`, () => {
      const outcome = find("eth0", asked, parentFacts({ ...host, users: [user(there)] }));
      if (together) assert.deepEqual(outcome, { origin: "adopted", link: "eth0", mtu: 1500 });
      else
        assert.match(String(outcome), /^PARENT_IN_USE: network there is already using parent interface eth0/);
      assert.doesNotMatch(String(find("eth1", asked, parentFacts({ ...host, users: [user(there)] }))), /:/);
    });
  }

test("the words say why a parent has no room", () => {
  const words = (there: ParentUse, asked: ParentUse) =>
    String(find("eth0", asked, parentFacts({ ...host, users: [user(there)] }))).replace(/.* eth0/, "");
  assert.equal(words("ipvlan", "ipvlan"), ": it serves one ipvlan network");
  assert.equal(words("macvlan", "macvlan passthru"), ", which mode passthru needs for itself");
  assert.equal(words("macvlan passthru", "macvlan"), " in mode passthru, which leaves no room for another");
  assert.equal(words("bridge port", "macvlan"), " (bridge port): it cannot serve macvlan besides");
});

test("what others have built on a parent counts, as far as it can be seen", () => {
  const child = (kind: string) =>
    parentFacts({
      links: [
        hostLink("eth0"),
        hostLink("other", { kind, vlan: { parent: "eth0", id: 0, protocol: "802.1Q" } }),
      ],
    });
  assert.match(String(find("eth0", "ipvlan", child("macvlan"))), /^PARENT_IN_USE: .* eth0 has other on it/);
  assert.match(String(find("eth0", "macvlan", child("ipvtap"))), /of kind ipvtap: it cannot serve macvlan/);
  assert.match(String(find("eth0", "macvlan passthru", child("macvtap"))), /^PARENT_IN_USE/);
  assert.match(String(find("eth0", "bridge port", child("ipvlan"))), /^PARENT_IN_USE/);
  assert.doesNotMatch(String(find("eth0", "macvlan", child("macvtap"))), /:/);
  assert.doesNotMatch(String(find("eth0", "bridge port", child("vlan"))), /:/);
});

test("another's links on a parent count by how they take in its frames", () => {
  const outcome = (use: ParentUse, kind: string, onParent: HostLink["onParent"], spec?: IpvlanSpec) => {
    const other = hostLink("other", { kind, onParent, vlan: { parent: "eth0", id: 0, protocol: "802.1Q" } });
    const given = parentFacts({ links: [hostLink("eth0"), other] });
    try {
      return findParent({ driver: "d", parent: "eth0", use, spec }, given).origin;
    } catch (error) {
      if (!isWeftError(error, "PARENT_IN_USE")) throw error;
      return error.message;
    }
  };
  const ipvlan = (mode: IpvlanSpec["mode"], flag: IpvlanSpec["flag"] = "bridge"): IpvlanSpec => {
    return { type: "ipvlan", parent: "eth0", mode, flag };
  };
  assert.equal(outcome("macvlan", "macvlan", { mode: "vepa" }), "adopted");
  assert.equal(
    outcome("macvlan", "macvlan", { mode: "passthru" }),
    "parent interface eth0 has other on it, in mode passthru, which leaves no room for another",
  );
  assert.equal(
    outcome("ipvlan", "ipvlan", { mode: "l2", flag: "private" }, ipvlan("l2", "private")),
    "adopted",
  );
  assert.match(
    outcome("ipvlan", "ipvlan", { mode: "l2", flag: "bridge" }, ipvlan("l3")),
    /has other on it, of kind ipvlan, mode l2 and flag bridge: .* changed to l3 and bridge$/,
  );
  assert.match(outcome("ipvlan", "ipvlan", { mode: "l2", flag: "vepa" }, ipvlan("l2")), /flag vepa/);
  assert.match(outcome("ipvlan", "ipvtap", undefined, ipvlan("l2")), /mode unknown and flag unknown/);
});

test("a VLAN sub-interface that another network had made is shared, with what is known of it", () => {
  const made = {
    origin: "made",
    link: "eth1.9",
    mtu: 4000,
    vlan: { parent: "eth1", id: 9 },
    ipv6Available: false,
  } as const;
  const users = [{ network: "there", use: "macvlan", parent: made }] as const;
  assert.deepEqual(find("eth1.9", "macvlan", parentFacts({ ...host, users })), made);
  assert.match(
    String(find("eth1.9", "ipvlan", parentFacts({ ...host, users }))),
    /^PARENT_IN_USE: network there/,
  );
});

test("a VLAN is one of the link itself, by whatever name that was called", () => {
  const altnames = { enp0s8: "eth1", enp0s9: "eth0" };
  const made = (link: string) =>
    ({ origin: "made", link, mtu: 9000, vlan: { parent: "eth1", id: 9 }, ipv6Available: true }) as const;
  assert.deepEqual(find("enp0s8.9", "macvlan", parentFacts({ ...host, altnames })), made("enp0s8.9"));
  const refusal = (id: number, parent: string, name: string) =>
    `PARENT_IN_USE: VLAN ${id} of ${parent} is interface ${name} already: name that as parent`;
  assert.equal(
    find("enp0s9.20", "macvlan", parentFacts({ ...host, altnames })),
    refusal(20, "eth0", "voice"),
    "a person's",
  );
  assert.equal(
    find("enp0s8.7", "macvlan", parentFacts({ ...host, altnames })),
    refusal(7, "eth1", "eth1.7"),
    "weft's, on its way out",
  );
  const users = [{ network: "there", use: "macvlan", parent: made("enp0s8.9") }] as const;
  const links = [...host.links, vlanLink("enp0s8.9", "eth1", 9, { ours: true })];
  const wanted = parentFacts({ ...host, altnames, users });
  const there = parentFacts({ links, altnames, users });
  for (const given of [wanted, there]) {
    assert.equal(find("eth1.9", "macvlan", given), refusal(9, "eth1", "enp0s8.9"));
    assert.deepEqual(find("enp0s8.9", "macvlan", given), made("enp0s8.9"));
    assert.deepEqual(find("enp0s8.8", "macvlan", given), {
      ...made("enp0s8.8"),
      vlan: { parent: "eth1", id: 8 },
    });
  }
});

test("a VLAN sub-interface of somebody else's that networks wait for is not made in its place", () => {
  const gone = (network: string, link: string): ParentUser => ({
    network,
    use: "macvlan",
    parent: { origin: "adopted", link, mtu: 1500, vlan: { parent: "eth1", id: 9, protocol: "802.1Q" } },
  });
  const users = [gone("n1", "eth1.9"), gone("n2", "eth1.9"), gone("n3", "voice9")];
  for (const use of ["macvlan", "ipvlan", "bridge port"] as const)
    assert.equal(
      find("eth1.9", use, parentFacts({ ...host, users })),
      "PARENT_MISSING: parent interface eth1.9, which weft did not make, is not there any more, and is waited for by " +
        "network n1, n2: make it again, or remove what waits for it, and weft makes one",
    );
});

test("a kernel without the feature is named with the module that brings it", () => {
  const poor = parentFacts({ ...host, missing: ["802.1Q", "dummy"] });
  assert.match(String(find("eth0.30", "macvlan", poor)), /^FEATURE_MISSING: .*802.1Q.*module of 802.1Q/);
  assert.throws(
    () => dummyParent("dm", idOf("net"), undefined, poor),
    (error) => isWeftError(error, "FEATURE_MISSING"),
  );
  assert.doesNotMatch(String(find("eth0.10", "macvlan", poor)), /FEATURE/, "one that is there needs nothing");
});

test("a network without a parent has a link that leads nowhere", () => {
  const id = idOf("net");
  assert.deepEqual(dummyParent("di", id, 9000, facts), {
    origin: "dummy",
    link: `di-${id.slice(0, 12)}`,
    mtu: 9000,
    ipv6Available: true,
  });
  assert.equal(dummyParent("dm", id, undefined, facts).mtu, 1500);
});

test("every VLAN's name is read as it was written, and no other number is a VLAN", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9.]{0,8}$/),
      fc.integer({ min: -10, max: 10_000 }),
      (parent, id) => {
        const read = () => parseVlanName(`${parent}.${id}`);
        if (id >= 1 && id <= 4094) assert.deepEqual(read(), { parent, id });
        else if (id < 0) assert.equal(read(), undefined);
        else assert.throws(read, (error) => isWeftError(error, "INVALID_OPTION"));
      },
    ),
  );
});
