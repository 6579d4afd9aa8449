import assert from "node:assert/strict";
import { test } from "node:test";
import type { ParentAnswer } from "../../../src/drivers/index.ts";
import { lookAgain, planParent } from "../../../src/drivers/parent/index.ts";
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
  const facts = parentFacts({ links: [hostLink("eth0", { mtu: 9000 }), hostLink("eth0.10", { mtu: 1500 })] });
  assert.deepEqual(lookAgain(made, facts), { ...made, mtu: 9000 });
  assert.deepEqual(lookAgain(adopted, facts), { ...adopted, mtu: 9000 });
  assert.equal(lookAgain(dummy, facts), dummy);
});

test("what did not change, or is not there, is answered as it was", () => {
  const vlan = { parent: "eth0", id: 4, protocol: "802.1Q" } as const;
  const given = parentFacts({ links: [hostLink("eth0"), hostLink("voice", { kind: "vlan", vlan })] });
  const voice: ParentAnswer = { origin: "adopted", link: "voice", mtu: 1500, vlan };
  for (const parent of [made, adopted, dummy, voice]) {
    assert.equal(lookAgain(parent, given), parent);
    assert.equal(lookAgain(parent, parentFacts({})), parent);
    const recorded: ParentAnswer = JSON.parse(JSON.stringify(parent));
    assert.equal(lookAgain(recorded, given), recorded);
  }
});
