import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { parseAddressPools, uniqueLocalPool } from "../../../src/ipam/index.ts";
import { refusal } from "../refusal.ts";

describe("parseAddressPools", () => {
  it("sorts, parts the families, and leaves out what lies in another", () => {
    const pools = parseAddressPools([
      { base: "10.20.0.0/16", size: 24 },
      { base: "fd00:2::/48", size: 64 },
      { base: "10.10.0.0/16", size: 24 },
      { base: "10.20.128.0/17", size: 26 },
      { base: "10.20.0.0/16", size: 20 },
      { base: "fd00:1::/48", size: 64 },
    ]);
    assert.deepEqual(pools, {
      4: [
        { base: "10.10.0.0/16", size: 24 },
        { base: "10.20.0.0/16", size: 24 },
      ],
      6: [
        { base: "fd00:1::/48", size: 64 },
        { base: "fd00:2::/48", size: 64 },
      ],
    });
  });

  const refused = [
    [
      { base: "10.0.0.0/24", size: 16 },
      "network at index 1 (10.0.0.0/24) has a smaller prefix (/24) than the target size of that pool (/16)",
    ],
    [
      { base: "10.0.0.1/8", size: 16 },
      "network at index 1 (10.0.0.1/8) is not in canonical form: invalid prefix 10.0.0.1/8: it should be 10.0.0.0/8",
    ],
    [
      { base: "ten", size: 16 },
      'network at index 1 (ten) is not in canonical form: invalid CIDR "ten": it should be ADDRESS/LENGTH',
    ],
    [
      { base: "10.0.0.0/8", size: 33 },
      "network at index 1 (10.0.0.0/8) has the size 33: it should be a prefix length of 1 to 32",
    ],
    [
      { base: "fd00::/48", size: 0 },
      "network at index 1 (fd00::/48) has the size 0: it should be a prefix length of 1 to 128",
    ],
  ] as const;
  for (const [entry, message] of refused) {
    it(`refuses ${entry.base} of size ${entry.size}`, () => {
      const entries = [{ base: "192.168.0.0/16", size: 24 }, entry];
      assert.throws(() => parseAddressPools(entries), refusal("INVALID_POOL", message));
    });
  }
});

describe("uniqueLocalPool", () => {
  it("is fd00::/8 and the low 40 bits of the hash's first 8 bytes, cut into /64", () => {
    const hash = createHash("sha256").update("host-1").digest("hex");
    const digits = `fd${hash.slice(6, 16)}`;
    const groups = [digits.slice(0, 4), digits.slice(4, 8), digits.slice(8, 12)];
    const canonical = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":");
    assert.deepEqual(uniqueLocalPool("host-1"), { base: `${canonical}::/48`, size: 64 });
    assert.notDeepEqual(uniqueLocalPool("host-2"), uniqueLocalPool("host-1"));
  });
});
