import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMac } from "../../src/core/index.ts";
import { underlayFindings, type WireNetwork } from "../../src/daemon/underlay-findings.ts";
import type { Underlay } from "../../src/drivers/index.ts";
import { FixedFacts, platforms, type WireLink } from "../../src/facts/index.ts";

const plain: WireLink = {
  name: "eth0",
  kind: "device",
  mtu: 1500,
  mac: parseMac("02:00:00:00:00:01"),
  loopback: false,
  up: true,
  running: true,
  ours: false,
  promiscuity: 0,
  promiscuousFlag: false,
};

const station = { role: "station", fourAddress: false } as const;

function factsWith(link: Partial<WireLink> | undefined, more: Partial<FixedFacts> = {}): FixedFacts {
  const facts = Object.assign(new FixedFacts(), more);
  if (link !== undefined) facts.wireLinks.set("eth0", { ...plain, ...link });
  return facts;
}

const network = (underlay: Partial<Underlay> = {}, joined = true): WireNetwork => ({
  name: "lan",
  underlay: { link: "eth0", mtu: 1500, ...underlay },
  joined,
});

/** The level of each check that has one, by what it is of. */
function levels(facts: FixedFacts, ...networks: readonly WireNetwork[]): Readonly<Record<string, string>> {
  return Object.fromEntries(underlayFindings(facts, networks).map(({ Check, Level }) => [Check, Level]));
}

const table: readonly (readonly [
  what: string,
  link: Partial<WireLink> | undefined,
  network: WireNetwork,
  expected: Readonly<Record<string, string>>,
])[] = [
  ["a link that is as it should be", {}, network(), { link: "ok" }],
  ["a link that is gone", undefined, network(), { link: "problem" }],
  ["a link that is down", { up: false, running: false }, network(), { link: "problem" }],
  ["a link without a carrier", { running: false }, network(), { link: "warning" }],
  ["a wireless station", { wireless: station }, network(), { link: "ok", wireless: "problem" }],
  [
    "a wireless station that shares its address",
    { wireless: station },
    network({ sharesMac: true }),
    { link: "ok", wireless: "ok" },
  ],
  [
    "a wireless station of four addresses",
    { wireless: { ...station, fourAddress: true } },
    network(),
    { link: "ok", wireless: "ok" },
  ],
  [
    "an access point",
    { wireless: { role: "access point", fourAddress: false } },
    network(),
    { link: "ok", wireless: "ok" },
  ],
  [
    "a wireless link of the old sort",
    { wireless: { role: "unknown", fourAddress: false } },
    network(),
    { link: "ok", wireless: "problem" },
  ],
  ["an MTU that fits", {}, network({ mtu: 1500 }), { link: "ok" }],
  ["an MTU that does not fit", {}, network({ mtu: 9000 }), { link: "ok", MTU: "problem" }],
  [
    "promiscuous mode that is needed and off",
    {},
    network({ promiscuous: "while joined" }),
    { link: "ok", "promiscuous mode": "problem" },
  ],
  [
    "promiscuous mode that no sandbox needs yet",
    {},
    network({ promiscuous: "while joined" }, false),
    { link: "ok" },
  ],
  [
    "promiscuous mode that a bridge's port needs, whoever is on it",
    {},
    network({ promiscuous: "always" }, false),
    { link: "ok", "promiscuous mode": "problem" },
  ],
  [
    "promiscuous mode that is needed and on",
    { promiscuity: 1, master: "lan0" },
    network({ link: "lan0", port: "eth0", promiscuous: "always" }),
    { link: "ok", "promiscuous mode": "ok" },
  ],
  [
    "promiscuous mode that is on for nothing",
    { promiscuity: 1, promiscuousFlag: true },
    network(),
    { link: "ok", "promiscuous mode": "note" },
  ],
];

for (const [what, link, one, expected] of table) {
  test(`the doctor tells of ${what}`, () => {
    const named = Object.entries(expected).map(([check, level]) => [`underlay of lan: ${check}`, level]);
    assert.deepEqual(levels(factsWith(link), one), Object.fromEntries(named));
  });
}

test("what is wrong says what to do about it, and what is right says nothing", () => {
  const all = table.flatMap(([, link, one]) => underlayFindings(factsWith(link), [one]));
  for (const { Check, Level, Advice } of all)
    assert.equal(Advice === "", Level === "ok", `${Check} ${Level}: ${Advice}`);
});

test("who keeps promiscuous mode on is named as far as it is known", () => {
  const found = (link: Partial<WireLink>) =>
    underlayFindings(factsWith(link), [network()]).find(({ Check }) => Check.endsWith("promiscuous mode"))
      ?.Found;
  assert.match(
    found({ promiscuity: 2, promiscuousFlag: true, master: "br7" }) ?? "",
    /kept by br7, of which it is a port; its own flag, which a person or a program has set$/,
  );
  assert.match(
    found({ promiscuity: 3, master: "br7" }) ?? "",
    /br7, of which it is a port; 2 besides, such as/,
  );
});

test("every platform's manners are told, and what to do: for addresses of sandboxes' own, and for ipvlan's", () => {
  for (const platformName of platforms) {
    const facts = factsWith({}, { platformName });
    const [, own] = underlayFindings(facts, [network()]);
    assert.equal(own?.Level, "warning");
    assert.ok(own.Found.startsWith(`${platformName}: `));
    assert.notEqual(own.Advice, "");
    const shared = underlayFindings(facts, [network({ sharesMac: true })]).slice(1);
    for (const one of shared) assert.equal(one.Level, "note");
    for (const one of shared) assert.notEqual(one.Advice, "");
  }
});

test("where no network is on the wire, the links that one could have are looked at, in few words", () => {
  const hardware = { hardware: ["eth0"] };
  assert.deepEqual(levels(factsWith({}, hardware)), {});
  assert.deepEqual(levels(factsWith({ wireless: station }, hardware)), { "underlay: eth0": "note" });
  assert.deepEqual(levels(factsWith({}, { ...hardware, platformName: "VMware" })), {
    "underlay: machine": "note",
  });
  assert.deepEqual(levels(factsWith({}, { platformName: "VMware" })), {}, "no link, so nothing to say");
});
