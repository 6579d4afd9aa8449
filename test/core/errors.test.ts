import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, messageOf, runAll, throwAll, WeftError } from "../../src/core/index.ts";

const failing = (message: string) => () => {
  throw new Error(message);
};

test("an error has the kind that the catalogue gives its code", () => {
  const cause = new Error("why");
  const error = new WeftError("ADDRESS_IN_USE", "10.0.0.1 is taken", {
    cause,
    details: { address: "10.0.0.1" },
  });
  assert.equal(error.kind, "Forbidden");
  assert.equal(error.cause, cause);
  assert.deepEqual(error.details, { address: "10.0.0.1" });
  assert.ok(isWeftError(error) && isWeftError(error, "ADDRESS_IN_USE"));
  assert.ok(!isWeftError(error, "KERNEL") && !isWeftError(cause));
  assert.equal(messageOf("text"), "text");
});

test("every step of a teardown runs, and all that failed is thrown", async () => {
  const ran: number[] = [];
  const step = (n: number) => async () => {
    ran.push(n);
  };
  await runAll("nothing", [step(1), step(2)]);
  await assert.rejects(runAll("one", [step(3), failing("first"), step(4)]), { message: "first" });
  await assert.rejects(runAll("two", [failing("first"), step(5), failing("second")]), (error) => {
    assert.ok(isWeftError(error, "TEARDOWN"));
    assert.equal(error.message, "two: first; second");
    assert.ok(error.cause instanceof AggregateError && error.cause.errors.length === 2);
    return true;
  });
  assert.deepEqual(ran, [1, 2, 3, 4, 5]);
  throwAll("nothing", []);
  assert.throws(
    () =>
      throwAll(
        "four",
        [1, 2, 1, 1].map((n) => new Error(`error ${n}`)),
      ),
    {
      code: "TEARDOWN",
      message: "four: error 1; error 2",
    },
  );
});
