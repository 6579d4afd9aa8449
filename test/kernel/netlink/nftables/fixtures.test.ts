import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTable,
  type Register,
  type TableDefinition,
} from "../../../../src/kernel/netlink/nftables/index.ts";
import { readCapture } from "./captures.ts";
import { understand, written } from "./from-messages.ts";
import { dns, fabric, slots, vni } from "./rule-sets.ts";

const cases: readonly (readonly [string, TableDefinition])[] = [
  ["fabric", fabric],
  ["dns", dns],
  ["vni", vni],
  ["slots", slots],
];

for (const [name, definition] of cases) {
  test(`${name}: a definition, written and read, is itself`, () => {
    assert.deepEqual(understand(written(createTable(definition))).definition, definition);
  });
}

for (const [name, definition] of cases.filter(([name]) => name !== "slots")) {
  test(`${name}: what nft sent is what the builder gives`, () => {
    assert.deepEqual(understand(readCapture(name).messages).definition, definition);
  });
}

test("slots: what nft sent is what the builder gives, but for a scratch register and a typeof", () => {
  const sent = understand(readCapture("slots").messages).definition;
  assert.deepEqual(sent.chains, {
    ...slots.chains,
    out: { ...slots.chains.out, rules: slots.chains.out?.rules.map(scratchAsNft) },
  });
  assert.deepEqual(sent.sets.slots, slots.sets.slots);
  assert.deepEqual(sent.sets.multi, slots.sets.multi);
});

/** nft hashes from slot 7 where we hash from 4; both lie behind the key, whose third part is the hash. */
function scratchAsNft(rule: { readonly steps: readonly object[] }, index: number) {
  if (index !== 1) return rule;
  const moved = (register: Register) => (register === 4 ? 7 : register);
  const steps = rule.steps.map((step) => ({
    ...step,
    ...("into" in step ? { into: moved(step.into as Register) } : {}), // `into` is a register wherever it is
    ...("kind" in step && step.kind === "jhash" ? { from: 7 } : {}),
  }));
  return { ...rule, steps };
}

test("the elements that nft sent are decoded", () => {
  assert.deepEqual(understand(readCapture("vni").messages).elements, {
    vnis: [{ key: [100] }, { key: [200] }],
  });
  assert.deepEqual(understand(readCapture("slots").messages).elements, {
    // nft declared it `typeof ... jhash`, which is not modelled: such a key is bytes.
    aff: [{ key: ["0a0000010050000003000000"], data: ["10.1.0.1", 8080] }],
  });
  assert.deepEqual(understand(readCapture("language").messages).elements, {
    a: [
      { key: ["10.0.0.0/8"] },
      { key: [{ from: "192.168.0.1", to: "192.168.0.9" }] },
      { key: ["255.0.0.0/8"] },
    ],
    b: [{ key: ["br0", "10.1.0.0/16"] }, { key: ["br1", "10.2.0.1"], comment: "hi" }],
    t: [{ key: ["1.2.3.4"], timeoutMs: 1_800_000 }],
    v: [
      { key: ["ipv4"], data: { verdict: "jump", chain: "foreign" } },
      { key: ["ipv6"], data: { verdict: "accept" } },
    ],
  });
});

test("every expression that nft sent is known, and written again as it was", () => {
  const { definition } = understand(readCapture("language").messages);
  for (const chain of Object.values(definition.chains))
    for (const { steps } of chain.rules) for (const step of steps) assert.notEqual(step.kind, "unknown");
  assert.deepEqual(understand(written(createTable(definition))).definition, definition);
});
