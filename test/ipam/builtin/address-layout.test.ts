import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { contains, type Family, firstAddress, lastAddress } from "../../../src/core/index.ts";
import { layoutOf, type Position } from "../../../src/ipam/builtin/address-layout.ts";
import { addressIn, anyAddress, anyPrefix } from "../arbitraries.ts";

function compare(a: Position, b: Position): number {
  if (a.region !== b.region) return a.region < b.region ? -1 : 1;
  return a.low - b.low;
}

describe("layoutOf", () => {
  for (const family of [4, 6] as const satisfies readonly Family[]) {
    it(`gives each IPv${family} address of a prefix a place of its own`, () => {
      const pair = anyPrefix(family).chain((prefix) => fc.tuple(fc.constant(prefix), addressIn(prefix)));
      fc.assert(
        fc.property(pair, ([prefix, address]) => {
          const layout = layoutOf(prefix);
          const position = layout.position(address);
          assert.ok(position !== undefined);
          assert.equal(layout.address(position), address);
          assert.ok(position.low >= 0 && position.low < layout.regionSize);
          assert.ok(compare(layout.first, position) <= 0 && compare(position, layout.last) <= 0);
        }),
      );
    });

    it(`knows the first and the last IPv${family} address`, () => {
      fc.assert(
        fc.property(anyPrefix(family), (prefix) => {
          const layout = layoutOf(prefix);
          assert.equal(layout.address(layout.first), firstAddress(prefix));
          assert.equal(layout.address(layout.last), lastAddress(prefix));
        }),
      );
    });

    it(`has no place for an IPv${family} address that the prefix does not hold`, () => {
      const address = fc.oneof(anyAddress(4), anyAddress(6));
      fc.assert(
        fc.property(anyPrefix(family, 1, 12), address, (prefix, candidate) => {
          assert.equal(layoutOf(prefix).position(candidate) !== undefined, contains(prefix, candidate));
        }),
      );
    });
  }
});
