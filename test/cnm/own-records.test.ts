import assert from "node:assert/strict";
import { isWeftError } from "../../src/core/index.ts";
import { onBoth } from "./world.ts";

onBoth("own records are kept by name, changed whole, and found again after a death", async (world) => {
  const own = world.controller.own("sandboxes");
  await own.transact((transaction) => {
    transaction.put("a/1", { n: 1 });
    transaction.put("a/2", { n: 2 });
    transaction.put("b", "text");
    assert.deepEqual(
      [...transaction.range("a/")].map(({ key }) => key),
      ["a/1", "a/2"],
    );
    assert.equal(transaction.delete("a/2"), true);
    assert.equal(transaction.get("a/2"), undefined);
  });
  const refusal = new Error("changed my mind");
  await assert.rejects(
    own.transact((transaction) => {
      transaction.put("b", "other");
      throw refusal;
    }),
    refusal,
  );
  await world.controller.own("other").transact((transaction) => transaction.put("b", "of another"));
  await world.kill();
  const found = world.controller.own("sandboxes");
  assert.deepEqual(
    [...found.range()],
    [
      { key: "a/1", value: { n: 1 } },
      { key: "b", value: "text" },
    ],
  );
  assert.equal(found.get("b"), "text");
  assert.deepEqual([...found.range("c")], []);
  assert.deepEqual(await world.controller.drift(), []);
});

onBoth("own records take along what waits to be written", async (world) => {
  const { controller } = world;
  const network = await controller.createNetwork("bridge", "net");
  const state = () => (world.bare.store.get(`networks/${network.id}`) as { state: string }).state; // a record
  assert.equal(state(), "creating");
  await controller.own("mine").transact((transaction) => transaction.put("k", 1));
  assert.equal(state(), "ready");
});

onBoth("own records have names, and an end with their controller", async (world) => {
  const { controller } = world;
  for (const name of ["", "A", "a/b", "-", "x".repeat(64)])
    assert.throws(() => controller.own(name), { code: "INVALID_NAME", message: /^invalid name of records/ });
  const own = controller.own("mine");
  await controller.close();
  await assert.rejects(
    own.transact((transaction) => transaction.put("k", 1)),
    (error) => isWeftError(error, "CONTROLLER_CLOSED"),
  );
  await world.open();
});
