import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  accept,
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  type Change,
  commit,
  createTable,
  ct,
  deleteElements,
  deleteRule,
  deleteTable,
  jump,
  listElements,
  listRules,
  listTables,
  match,
  meta,
  readTable,
  replaceRule,
  rule,
  type SetElement,
  type SetType,
  sortElements,
  type TableDefinition,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { NETLINK_NETFILTER, type NetlinkSocket } from "../../../../src/kernel/netlink/socket.ts";
import { type TestNetns, withNetns } from "../../../netns-fixture.ts";
import { fixtureFolder, readCapture } from "./captures.ts";
import { understand } from "./from-messages.ts";
import { dns, fabric, slots, vni } from "./rule-sets.ts";

function inNamespace(work: (socket: NetlinkSocket, host: TestNetns) => void): Promise<void> {
  return withNetns(1, ([host]) => work(host.netlink(NETLINK_NETFILTER), host));
}

for (const definition of [fabric, dns, vni, slots]) {
  test(`table ${definition.table}: what the kernel gives back is what it was given`, () =>
    inNamespace((socket) => {
      commit(socket, createTable(definition, { exclusive: true }));
      assert.deepEqual(readTable(socket, definition), definition);
    }));
}

/** The rule sets that this nft can list, and whether it is given elements besides. */
for (const [name, definition] of [
  ["fabric", fabric],
  ["dns", dns],
  ["vni", vni],
] as const) {
  test(`table ${definition.table}: nft lists ours as it lists its own`, () =>
    inNamespace((socket, host) => {
      commit(socket, createTable(definition));
      if (name === "vni") {
        const vnis = { ...definition, set: "vnis" };
        commit(socket, addElements(vnis, { key: [{ integer: 24 }] }, [{ key: [100] }, { key: [200] }]));
      }
      const ours = host.exec("nft", "list", "ruleset");
      const oursAsJson = host.exec("nft", "-j", "list", "ruleset");
      commit(socket, deleteTable(definition));
      host.exec("nft", "-f", join(fixtureFolder, `${name}.nft`));
      assert.equal(ours, host.exec("nft", "list", "ruleset"));
      assert.equal(ours, readCapture(name).listing);
      assert.deepEqual(withoutHandles(oursAsJson), withoutHandles(host.exec("nft", "-j", "list", "ruleset")));
    }));
}

/** Handles count up for as long as the namespace lives. */
function withoutHandles(json: string): unknown {
  return JSON.parse(json, (key, value: unknown) => (key === "handle" ? undefined : value));
}

test("a slot map of ours is listed by nft as nft declares it", () =>
  inNamespace((socket, host) => {
    commit(socket, createTable(slots));
    const listing = host.exec("nft", "list", "map", "ip", "slots", "slots");
    assert.match(listing, /typeof ip daddr \. tcp dport \. numgen random mod 16 : ip daddr \. tcp dport/);
  }));

for (const name of ["fabric", "dns", "vni", "slots", "language"]) {
  test(`${name}: a table that nft loaded is read as nft meant it, and can be made again`, () =>
    inNamespace((socket, host) => {
      host.exec("nft", "-f", join(fixtureFolder, `${name}.nft`));
      const { definition } = understand(readCapture(name).messages);
      const found = readTable(socket, definition);
      assert.ok(found);
      if (name !== "language") assert.deepEqual(found, definition);
      commit(socket, [...deleteTable(definition), ...createTable(found)]);
      assert.deepEqual(readTable(socket, definition), found);
    }));
}

const forward = { family: "inet", table: "weft", chain: "forward" } as const;
const extra = rule("inet", [match(ct("status"), "has", "snat"), accept]);

const drifts: readonly (readonly [string, (socket: NetlinkSocket) => readonly Change[]])[] = [
  ["a rule at the end", () => addRule(forward, extra)],
  ["a rule at the beginning", () => addRule(forward, extra, "first")],
  ["a rule in between", (socket) => addRule(forward, extra, { after: handleOf(socket, 1) })],
  ["a rule in place of another", (socket) => replaceRule({ ...forward, handle: handleOf(socket, 1) }, extra)],
  ["a rule less", (socket) => deleteRule({ ...forward, handle: handleOf(socket, 2) })],
  ["a comment", (socket) => replaceFirst(socket, "other words")],
  ["a chain more", () => addChain({ ...forward, chain: "more" })],
  ["a set more", () => addSet({ ...forward, set: "more" }, { key: ["mark"] })],
];

function handleOf(socket: NetlinkSocket, index: number): bigint {
  return listRules(socket, forward, "forward")[index]?.handle ?? 0n;
}

function replaceFirst(socket: NetlinkSocket, comment: string): readonly Change[] {
  const first = fabric.chains.forward?.rules[0];
  assert.ok(first);
  return replaceRule({ ...forward, handle: handleOf(socket, 0) }, { ...first, comment });
}

for (const [what, change] of drifts) {
  test(`${what} is seen`, () =>
    inNamespace((socket) => {
      commit(socket, createTable(fabric));
      commit(socket, change(socket));
      assert.notDeepEqual(readTable(socket, fabric), fabric);
      commit(socket, [...deleteTable(fabric), ...createTable(fabric)]);
      assert.deepEqual(readTable(socket, fabric), fabric);
    }));
}

test("elements do not make a table another", () =>
  inNamespace((socket) => {
    commit(socket, createTable(fabric));
    const ifs = { ...fabric, set: "ifs" };
    commit(socket, addElements(ifs, { key: ["ifname"] }, [{ key: ["br0"] }]));
    assert.deepEqual(readTable(socket, fabric), fabric);
  }));

test("there is no table that was not made, and one of another family is another", () =>
  inNamespace((socket) => {
    commit(socket, addTable({ family: "ip", table: "weft" }));
    assert.equal(readTable(socket, fabric), undefined);
    assert.deepEqual(
      listTables(socket).map(({ family, table }) => `${family} ${table}`),
      ["ip weft"],
    );
    assert.deepEqual(listTables(socket, "ip6"), []);
  }));

test("everything that a definition can say comes back", () =>
  inNamespace((socket) => {
    const definition: TableDefinition = {
      family: "inet",
      table: "all",
      comment: "a table",
      flags: ["dormant"],
      sets: {
        plain: { key: ["ether_addr"], comment: "a set", size: 7, policy: "memory" },
        times: { key: ["ipv4_addr"], timeoutMs: 60_000, gcIntervalMs: 1000 },
        optional: { key: ["ct_state"], timeoutMs: true },
        dynamic: { key: ["ipv6_addr", "mark"], dynamic: true, size: 100, timeoutMs: 5000 },
        ports: { key: ["inet_service"], interval: true, autoMerge: true },
        verdicts: { key: ["nf_proto"], data: "verdict" },
        numbers: { key: [{ integer: 32, order: "host" }], data: ["mark"] },
        bytes: { key: [{ raw: 5 }] },
      },
      chains: {
        plain: { rules: [], comment: "a chain" },
        hooked: {
          hook: { type: "filter", hook: "input", priority: 17, policy: "drop" },
          rules: [rule("inet", [match(meta("iifname"), "==", "x*"), jump("plain")], "a rule")],
        },
      },
    };
    commit(socket, createTable(definition));
    assert.deepEqual(readTable(socket, definition), definition);
  }));

const elementCases: readonly (readonly [string, SetType, readonly SetElement[]])[] = [
  ["names", { key: ["ifname"] }, [{ key: ["a-name-of-15-by"], comment: "the longest" }, { key: ["br0"] }]],
  [
    "addresses to addresses",
    { key: ["ipv4_addr", "inet_proto", "inet_service"], data: ["ipv4_addr", "inet_service"] },
    [
      { key: ["192.0.2.1", "tcp", 80], data: ["10.0.0.2", 8080] },
      { key: ["192.0.2.1", "udp", 53], data: ["10.0.0.3", 53] },
    ],
  ],
  [
    "IPv6",
    { key: ["ipv6_addr", "inet_service"], data: ["ipv6_addr"] },
    [{ key: ["2001:db8::1", 443], data: ["fd00::2"] }],
  ],
  [
    "intervals that touch",
    { key: ["ipv4_addr"], interval: true },
    [{ key: ["0.0.0.0/8"] }, { key: ["10.0.0.0/8"] }, { key: ["11.0.0.0/8"] }],
  ],
  [
    "intervals up to the end",
    { key: ["ipv4_addr"], interval: true },
    [{ key: ["10.0.0.1"] }, { key: [{ from: "10.0.0.3", to: "10.0.0.9" }] }, { key: ["255.0.0.0/8"] }],
  ],
  ["everything", { key: ["ipv6_addr"], interval: true }, [{ key: ["::/0"] }]],
  [
    "names with prefixes",
    { key: ["ifname", "ipv6_addr"], interval: true },
    [
      { key: ["br0", "fd00:1::/64"] },
      { key: ["br0", "fd00:2::/64"] },
      { key: ["br1", "fd00:1::5"] },
      { key: ["br2", { from: "fd00:1::5", to: "fd00:1::9" }] },
    ],
  ],
  [
    "ports",
    { key: ["inet_service"], interval: true },
    [{ key: [{ from: 8000, to: 8010 }] }, { key: [9000] }],
  ],
  [
    "verdicts",
    { key: ["nf_proto"], data: "verdict" },
    [
      { key: ["ipv4"], data: { verdict: "jump", chain: "other" } },
      { key: ["ipv6"], data: { verdict: "drop" } },
    ],
  ],
  [
    "catch-all",
    { key: ["mark"], data: ["mark"] },
    [
      { key: "*", data: [9] },
      { key: [1], data: [2] },
    ],
  ],
];

for (const [what, type, elements] of elementCases) {
  test(`elements: ${what}`, () =>
    inNamespace((socket) => {
      const name = { family: "inet", table: "t", set: "s" } as const;
      commit(socket, [...addTable(name), ...addChain({ ...name, chain: "other" }), ...addSet(name, type)]);
      commit(socket, addElements(name, type, elements, { exclusive: true }));
      assert.deepEqual(sortElements(type, listElements(socket, name, type)), elements);
      for (const element of elements) commit(socket, deleteElements(name, type, [element]));
      assert.deepEqual(listElements(socket, name, type), []);
    }));
}

test("an element with a time runs out", () =>
  inNamespace((socket) => {
    const name = { family: "inet", table: "t", set: "s" } as const;
    const type = { key: ["ipv4_addr"], timeoutMs: true } as const satisfies SetType;
    commit(socket, [...addTable(name), ...addSet(name, type)]);
    commit(socket, addElements(name, type, [{ key: ["10.0.0.1"], timeoutMs: 60_000 }]));
    const [element] = listElements(socket, name, type);
    assert.equal(element?.timeoutMs, 60_000);
    assert.ok((element?.expiresInMs ?? 0) > 50_000);
  }));
