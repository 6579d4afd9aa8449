import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { test } from "node:test";
import { hostNetns, isKernelError } from "../../../src/kernel/index.ts";
import { onLinux } from "./on-linux.ts";

test("a namespace that cannot be looked at is not taken for one that is missing", async () => {
  await onLinux(async ({ kernel, netnsFolder }) => {
    const box = `${netnsFolder}/box`;
    const isMarked = async () => {
      const found = await kernel.read({ namespaces: [hostNetns, box], netnsFolder, lookUp: [] });
      return found.some(({ object }) => object.kind === "netns" && object.netns === box);
    };
    assert.equal(await isMarked(), false, "nothing is there");
    symlinkSync(box, box);
    await assert.rejects(isMarked(), (error) => isKernelError(error, "ELOOP"));
    const [outcome] = await kernel.apply([{ op: "create", object: { kind: "netns", netns: box } }]);
    assert.ok(isKernelError(outcome, "ELOOP"), String(outcome));
  });
});
