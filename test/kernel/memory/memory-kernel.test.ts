import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInterfaceAddress } from "../../../src/core/index.ts";
import {
  hostNetns,
  KernelError,
  type KernelObject,
  MemoryKernel,
  type NftTableObject,
} from "../../../src/kernel/index.ts";
import { nftables } from "../../../src/kernel/netlink/index.ts";
import { kernelCompliance } from "../kernel-compliance.ts";

function tableOf(kernel: MemoryKernel): NftTableObject | undefined {
  const tables = kernel.all().flatMap(({ object }) => (object.kind === "nft-table" ? [object] : []));
  return tables.find(({ netns }) => netns === hostNetns);
}

kernelCompliance("the twin in memory", async (work) => {
  const kernel = new MemoryKernel();
  await work({
    kernel,
    netnsFolder: "/test/netns",
    fileFolder: "/test/files",
    addStrangersLink: (name) =>
      kernel.addForeign([{ kind: "link", netns: hostNetns, name, spec: { type: "adopted" } }]),
    addStrangersAddress: (link, address) =>
      kernel.addForeign([
        { kind: "address", netns: hostNetns, link, address: parseInterfaceAddress(address) },
      ]),
    addStrangersChain: (family, table, chain) =>
      kernel.addForeignChains([{ netns: hostNetns, family, table, chain }]),
    removeStrangersChain: (family, table, chain) =>
      kernel.removeForeignChains([{ netns: hostNetns, family, table, chain }]),
    addUsersRule: () => {
      const found = tableOf(kernel);
      assert.ok(found !== undefined);
      const rules = [nftables.rule("inet", [nftables.drop])];
      const chains = { ...found.definition.chains, user: { rules }, more: { rules: [] } };
      kernel.addForeign([{ ...found, definition: { ...found.definition, chains } }]);
    },
    usersRules: () => tableOf(kernel)?.definition.chains.user?.rules.length ?? 0,
  });
});

const bridge = (name: string): KernelObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "bridge" },
});

test("a test can have any operation refused", async () => {
  const kernel = new MemoryKernel();
  const refusal = new KernelError({ errno: 16, call: "test", object: "b" });
  kernel.onOperation = ({ object }) => (object.kind === "link" && object.name === "b" ? refusal : undefined);
  const operations = ["a", "b", "c"].map((name) => ({ op: "create", object: bridge(name) }) as const);
  assert.deepEqual(await kernel.apply(operations), [undefined, refusal, "skipped"]);
  assert.deepEqual(kernel.operations, operations.slice(0, 1));
});

test("what somebody else changed of weft's keeps its mark, what they made has none", async () => {
  const kernel = new MemoryKernel();
  await kernel.apply([{ op: "create", object: bridge("own") }]);
  kernel.addForeign([bridge("own"), bridge("theirs")]);
  assert.deepEqual(
    kernel.all().map(({ marked }) => marked),
    [true, false],
  );
  kernel.removeForeign([bridge("own")]);
  assert.equal(kernel.all().length, 1);
});
