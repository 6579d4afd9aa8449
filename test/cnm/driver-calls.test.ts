import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  callDriver,
  checkedEndpointAnswer,
  checkedJoinAnswer,
  checkedNetworkAnswer,
} from "../../src/cnm/driver-calls.ts";
import { isWeftError, WeftError } from "../../src/core/index.ts";

const driver = { name: "d" };
const checks = { checkedNetworkAnswer, checkedEndpointAnswer, checkedJoinAnswer };

test("whatever a driver answers is understood or refused as its answer", () => {
  const key = fc.constantFrom(
    "addresses",
    "macAddress",
    "link",
    "gateways",
    "staticRoutes",
    "interfacePrefix",
    "x",
  );
  const answer = fc.oneof(fc.anything(), fc.dictionary(key, fc.anything()));
  for (const check of Object.values(checks)) {
    fc.assert(
      fc.property(answer, (junk) => {
        try {
          check(driver, junk);
        } catch (error) {
          assert.ok(isWeftError(error, "DRIVER_ANSWER"), String(error));
        }
      }),
    );
  }
});

const junk: readonly (readonly [keyof typeof checks, unknown, RegExp])[] = [
  [
    "checkedNetworkAnswer",
    undefined,
    /^driver d answered undefined to createNetwork where it should be an object$/,
  ],
  ["checkedNetworkAnswer", [], /answered \[\]/],
  ["checkedNetworkAnswer", { a: 1n }, /plain JSON$/],
  ["checkedEndpointAnswer", { addresses: "10.0.0.1/24" }, /a list of addresses$/],
  ["checkedEndpointAnswer", { addresses: ["10.0.0.1"] }, /should be ADDRESS\/LENGTH$/],
  ["checkedEndpointAnswer", { macAddress: "ff:ff:ff:ff:ff:ff" }, /multicast/],
  ["checkedJoinAnswer", { link: "a/b" }, /an interface name of 1 to 15 bytes$/],
  ["checkedJoinAnswer", { link: "sixteen-bytes-xx" }, /1 to 15 bytes$/],
  ["checkedJoinAnswer", { link: 7 }, /answered 7 to join/],
  ["checkedJoinAnswer", { gateways: ["nowhere"] }, /invalid address "nowhere"$/],
  ["checkedJoinAnswer", { staticRoutes: [{ destination: "10.0.0.1/8" }] }, /it should be 10\.0\.0\.0\/8$/],
  ["checkedJoinAnswer", { staticRoutes: [{ destination: "10.0.0.0/8", gateway: "fd00::1" }] }, /own family$/],
  ["checkedJoinAnswer", { disableGatewayService: "no" }, /a boolean$/],
];

for (const [check, answer, words] of junk) {
  test(`${check} refuses ${words.source}`, () => {
    assert.throws(
      () => checks[check](driver, answer),
      (error) => {
        assert.ok(isWeftError(error, "DRIVER_ANSWER"));
        assert.match(error.message, words);
        return true;
      },
    );
  });
}

test("an answer is taken in canonical form", () => {
  assert.deepEqual(
    checkedEndpointAnswer(driver, { addresses: ["FD00::01/64"], macAddress: "02-00-00-00-00-0A" }),
    {
      addresses: ["fd00::1/64"],
      macAddress: "02:00:00:00:00:0a",
    },
  );
  assert.deepEqual(checkedJoinAnswer(driver, {}), {
    link: undefined,
    interfacePrefix: undefined,
    gateways: [],
    staticRoutes: [],
    disableGatewayService: false,
  });
});

test("a driver's own error passes, any other is told with the verb", async () => {
  const own = new WeftError("FEATURE_MISSING", "no");
  await assert.rejects(
    callDriver(driver, "join", () => Promise.reject(own)),
    own,
  );
  const thrown = callDriver(driver, "join", () => {
    throw new TypeError("oops");
  });
  await assert.rejects(thrown, (error) => {
    assert.ok(isWeftError(error, "DRIVER_ANSWER"));
    assert.equal(error.message, "driver d failed at join: oops");
    assert.ok(error.cause instanceof TypeError);
    return true;
  });
  const aborted = callDriver(driver, "join", () => Promise.reject(new Error("x")), AbortSignal.abort());
  await assert.rejects(aborted, (error) => isWeftError(error, "ABORTED"));
});
