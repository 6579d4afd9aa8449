import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePrefix } from "../../../src/core/index.ts";
import { formatPoolId, parsePoolId } from "../../../src/ipam/index.ts";
import { refusal } from "../refusal.ts";

describe("pool ids", () => {
  const cases = [
    ["LocalDefault/172.27.0.0/16", "LocalDefault", "172.27.0.0/16", undefined],
    ["LocalDefault/172.27.0.0/16/172.27.3.0/24", "LocalDefault", "172.27.0.0/16", "172.27.3.0/24"],
    ["GlobalDefault/fd00::/48", "GlobalDefault", "fd00::/48", undefined],
    ["GlobalDefault/fd00::/48/fd00::1:0/112", "GlobalDefault", "fd00::/48", "fd00::1:0/112"],
  ] as const;

  for (const [text, addressSpace, pool, subPool] of cases) {
    it(`reads and writes ${text}`, () => {
      const key = {
        addressSpace,
        pool: parsePrefix(pool),
        subPool: subPool === undefined ? undefined : parsePrefix(subPool),
      };
      assert.deepEqual(parsePoolId(text), key);
      assert.equal(formatPoolId(key), text);
    });
  }

  for (const text of [
    "",
    "LocalDefault",
    "LocalDefault/172.27.0.0",
    "LocalDefault/172.27.0.0/16/172.27.3.0",
    "LocalDefault/172.27.0.0/16/172.27.3.0/24/1",
    "/172.27.0.0/16",
    "LocalDefault/172.27.0.1/16",
    "LocalDefault/172.27.0.0/33",
    "LocalDefault/172.27.0.0/16/172.28.3.0/24",
    "LocalDefault/172.27.0.0/16/fd00::/64",
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parsePoolId(text),
        refusal("INVALID_POOL", `invalid string form for subnetkey: ${text}`),
      );
    });
  }
});
