import assert from "node:assert/strict";
import { release } from "node:os";
import { test } from "node:test";
import { isKernelError } from "../../../../src/kernel/kernel-error.ts";
import {
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  type Change,
  commit,
  createTable,
  deleteChain,
  deleteElements,
  deleteRule,
  deleteSet,
  deleteTable,
  flushChain,
  flushSet,
  flushTable,
  getGeneration,
  isGenerationConflict,
  jump,
  listElements,
  listRules,
  readTable,
  rule,
  type SetElement,
  type SetType,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { NETLINK_NETFILTER, type NetlinkSocket } from "../../../../src/kernel/netlink/socket.ts";
import { withNetns } from "../../../netns-fixture.ts";
import { fabric } from "./rule-sets.ts";

const table = { family: "inet", table: "t" } as const;
const ports = { ...table, set: "ports" };
const portsType = {
  key: ["ipv4_addr", "inet_proto", "inet_service"],
  data: ["ipv4_addr", "inet_service"],
} as const satisfies SetType;
const nets = { ...table, set: "nets" };
const netsType = { key: ["ipv4_addr"], interval: true } as const satisfies SetType;
const one = { ...table, chain: "one" };
const two = { ...table, chain: "two" };

const made: readonly Change[] = [
  ...addTable(table),
  ...addSet(ports, portsType),
  ...addSet(nets, netsType),
  ...addChain(one),
  ...addChain(two),
];

function published(index: number): SetElement {
  const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return { key: [address, "tcp", 80], data: ["192.0.2.1", index % 65536] };
}

const many = Array.from({ length: 10_000 }, (_, i) => published(i));

function inNamespace(work: (socket: NetlinkSocket) => void): Promise<void> {
  return withNetns(1, ([host]) => work(host.netlink(NETLINK_NETFILTER)));
}

const texts = (elements: readonly SetElement[]) =>
  elements.map((one) => JSON.stringify([one.key, one.data])).sort();

/** Fails with this errno, on this object. */
const refusal = (name: string, object: RegExp) => (error: unknown) =>
  isKernelError(error, name) && object.test(error.message);

test("ten thousand elements are one transaction", () =>
  inNamespace((socket) => {
    const changes = [...made, ...addElements(ports, portsType, many)];
    assert.ok(changes.length > made.length + 5); // none of which is longer than a list may be
    commit(socket, changes);
    const found = listElements(socket, ports, portsType);
    assert.deepEqual(texts(found), texts(many));
    assert.equal(found.length, many.length);
    commit(socket, deleteElements(ports, portsType, many));
    assert.deepEqual(listElements(socket, ports, portsType), []);
  }));

test("one of ten thousand that is there already is named, and none of the others is added", () =>
  inNamespace((socket) => {
    commit(socket, [...made, ...addElements(ports, portsType, [published(7777)])]);
    assert.throws(
      () => commit(socket, addElements(ports, portsType, many, { exclusive: true })),
      refusal("EEXIST", /element 10\.0\.30\.97 \. tcp \. 80 of set inet t ports/),
    );
    assert.equal(listElements(socket, ports, portsType).length, 1);
  }));

test("an element with other data is refused although nobody asked for exclusive", () =>
  inNamespace((socket) => {
    commit(socket, [...made, ...addElements(ports, portsType, [published(1)])]);
    commit(socket, addElements(ports, portsType, [published(1)]));
    const other = { ...published(1), data: ["192.0.2.2", 1] } as const;
    assert.throws(
      () => commit(socket, addElements(ports, portsType, [other])),
      refusal("EEXIST", /10\.0\.0\.1/),
    );
  }));

test("an interval that overlaps another is refused and named", () =>
  inNamespace((socket) => {
    commit(socket, [...made, ...addElements(nets, netsType, [{ key: ["10.0.0.0/8"] }])]);
    const both = [{ key: ["192.0.2.0/24"] }, { key: ["10.1.0.0/16"] }];
    assert.throws(
      () => commit(socket, addElements(nets, netsType, both, { exclusive: true })),
      refusal("EEXIST", /element 10\.1\.0\.0\/16 of set inet t nets/),
    );
    assert.deepEqual(listElements(socket, nets, netsType), [{ key: ["10.0.0.0/8"] }]);
  }));

const hook = { type: "filter", hook: "input", priority: 0, policy: "accept" } as const;

interface Refused {
  readonly what: string;
  readonly changes: () => readonly Change[];
  readonly errno: string;
  readonly object: RegExp;
}

const refused: readonly Refused[] = [
  {
    what: "making a table twice",
    changes: () => addTable(table, { exclusive: true }),
    errno: "EEXIST",
    object: /NFT_MSG_NEWTABLE table inet t:/,
  },
  {
    what: "making a chain twice",
    changes: () => addChain(one, { exclusive: true }),
    errno: "EEXIST",
    object: /chain inet t one/,
  },
  {
    what: "making a set twice",
    changes: () => addSet(ports, portsType, { exclusive: true }),
    errno: "EEXIST",
    object: /set inet t ports/,
  },
  {
    what: "deleting an element that is not there",
    changes: () => deleteElements(ports, portsType, [published(5)]),
    errno: "ENOENT",
    object: /element 10\.0\.0\.5 \. tcp \. 80 of set inet t ports/,
  },
  {
    what: "deleting a set that is not there",
    changes: () => deleteSet({ ...table, set: "absent" }),
    errno: "ENOENT",
    object: /set inet t absent/,
  },
  {
    what: "deleting a rule that is not there",
    changes: () => deleteRule({ ...one, handle: 4711n }),
    errno: "ENOENT",
    object: /rule inet t one handle 4711/,
  },
  {
    what: "jumping nowhere",
    changes: () => addRule(one, rule("inet", [jump("absent")])),
    errno: "ENOENT",
    object: /rule in chain inet t one/,
  },
  {
    what: "jumping in circles",
    // The kernel looks for circles only where packets can get.
    changes: () => [
      ...addChain({ ...table, chain: "input", hook }),
      ...addRule({ ...table, chain: "input" }, rule("inet", [jump("one")])),
      ...addRule(one, rule("inet", [jump("two")])),
      ...addRule(two, rule("inet", [jump("one")])),
    ],
    errno: "EMLINK",
    object: /NFT_MSG_NEWRULE rule in chain inet t two/,
  },
  {
    what: "deleting a chain that a jump leads to",
    changes: () => [...addRule(one, rule("inet", [jump("two")])), ...deleteChain(two)],
    errno: "EBUSY",
    object: /chain inet t two/,
  },
];

for (const { what, changes, errno, object } of refused) {
  test(`${what} is ${errno}, and what else was in the batch was not done`, () =>
    inNamespace((socket) => {
      commit(socket, made);
      const before = readTable(socket, table);
      const innocent = addSet({ ...table, set: "innocent" }, { key: ["mark"] });
      assert.throws(() => commit(socket, [...innocent, ...changes()]), refusal(errno, object));
      assert.deepEqual(readTable(socket, table), before);
    }));
}

/** NFT_MSG_DESTROY* is as young as Linux 6.3. */
const knowsDestroy = () => {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 6 || (major === 6 && minor >= 3);
};

test("what need not be there can be deleted all the same, and kernels before 6.3 refuse to", () =>
  inNamespace((socket) => {
    const ifExists = { ifExists: true };
    if (!knowsDestroy()) {
      assert.throws(
        () => commit(socket, deleteTable(table, ifExists)),
        (error) => isKernelError(error, "EINVAL"),
      );
      return;
    }
    commit(socket, deleteTable(table, ifExists));
    commit(socket, made);
    commit(socket, [
      ...deleteElements(ports, portsType, [published(1)], ifExists),
      ...deleteRule({ ...one, handle: 4711n }, ifExists),
      ...deleteSet({ ...table, set: "absent" }, ifExists),
      ...deleteChain({ ...table, chain: "absent" }, ifExists),
    ]);
    commit(socket, deleteTable(table, ifExists));
    assert.equal(readTable(socket, table), undefined);
  }));

test("a chain, a set and a table are emptied", () =>
  inNamespace((socket) => {
    commit(socket, [...made, ...addElements(ports, portsType, [published(1)])]);
    const jumps = rule("inet", [jump("two")]);
    commit(socket, [...addRule(one, jumps), ...addRule(one, jumps)]);
    assert.equal(listRules(socket, table, "one").length, 2);
    commit(socket, [...flushChain(one), ...flushSet(ports)]);
    assert.equal(listRules(socket, table, "one").length, 0);
    assert.deepEqual(listElements(socket, ports, portsType), []);
    commit(socket, addRule(one, jumps));
    commit(socket, flushTable(table));
    assert.equal(listRules(socket, table).length, 0);
  }));

test("a transaction for a generation that is over is refused", () =>
  inNamespace((socket) => {
    commit(socket, addTable(table));
    const generation = getGeneration(socket);
    commit(socket, addChain(one), { generation });
    assert.equal(getGeneration(socket), generation + 1);
    assert.throws(() => commit(socket, addChain(two), { generation }), isGenerationConflict);
    assert.deepEqual(Object.keys(readTable(socket, table)?.chains ?? {}), ["one"]);
  }));

test("the socket goes on after a refusal", () =>
  inNamespace((socket) => {
    assert.throws(() => commit(socket, deleteTable(table)));
    commit(socket, createTable(fabric));
    assert.deepEqual(readTable(socket, fabric), fabric);
  }));

test("no changes are no transaction", () =>
  inNamespace((socket) => {
    const generation = getGeneration(socket);
    commit(socket, []);
    assert.equal(getGeneration(socket), generation);
  }));
