import assert from "node:assert/strict";
import { test } from "node:test";
import { schema } from "../../src/cnm/schema.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { idOf, sandboxRecord } from "./samples.ts";

test("a sandbox of version 1 has no published ports, and keeps all else", async () => {
  const store = new MemoryStore();
  const { ports, bindings, ...former } = sandboxRecord("box");
  assert.deepEqual([ports, bindings], [[], []]);
  await store.transact((transaction) => transaction.put(`sandboxes/${former.id}`, former));
  await store.transact((transaction) => schema.migrations[0]?.migrate(transaction));
  assert.deepEqual(store.get(`sandboxes/${idOf("box")}`), { ...former, ports: [], bindings: [] });
  await store.close();
});
