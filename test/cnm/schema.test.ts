import assert from "node:assert/strict";
import { test } from "node:test";
import { schema } from "../../src/cnm/schema.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { idOf, networkRecord, sandboxRecord } from "./samples.ts";

test("a sandbox of version 1 has no published ports, and keeps all else", async () => {
  const store = new MemoryStore();
  const { ports, bindings, ...former } = sandboxRecord("box");
  assert.deepEqual([ports, bindings], [[], []]);
  await store.transact((transaction) => transaction.put(`sandboxes/${former.id}`, former));
  await store.transact((transaction) => schema.migrations[0]?.migrate(transaction));
  assert.deepEqual(store.get(`sandboxes/${idOf("box")}`), { ...former, ports: [], bindings: [] });
  await store.close();
});

test("a network of version 2 lives on one host, and is no configuration network", async () => {
  const store = new MemoryStore();
  const { scope, attachable, configOnly, ...former } = networkRecord("net");
  await store.transact((transaction) => transaction.put(`networks/${former.id}`, former));
  await store.transact((transaction) => schema.migrations[1]?.migrate(transaction));
  const migrated = { ...former, scope: "local", attachable: false, configOnly: false };
  assert.deepEqual(store.get(`networks/${idOf("net")}`), migrated);
  assert.deepEqual(migrated, { ...former, scope, attachable, configOnly });
  const { sysctls, ...box } = sandboxRecord("box");
  await store.transact((transaction) => transaction.put(`sandboxes/${box.id}`, box));
  await store.transact((transaction) => schema.migrations[1]?.migrate(transaction));
  assert.deepEqual(store.get(`sandboxes/${box.id}`), { ...box, sysctls });
  await store.close();
});
