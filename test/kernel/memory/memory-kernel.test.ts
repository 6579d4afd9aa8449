import assert from "node:assert/strict";
import { test } from "node:test";
import { hostNetns, KernelError, type KernelObject, MemoryKernel } from "../../../src/kernel/index.ts";
import { kernelCompliance } from "../kernel-compliance.ts";
import { linkKindsCompliance, macvlanCompliance } from "../link-kinds-compliance.ts";
import { onTwin } from "./on-twin.ts";

kernelCompliance("the twin in memory", onTwin);
linkKindsCompliance("the twin in memory", onTwin);
macvlanCompliance("the twin in memory", onTwin);

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
