import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { comparePrefixes, overlaps, type Prefix, parsePrefix, prefixOf } from "../../../src/core/index.ts";
import { bitsOfPrefix, PrefixTrie, prefixFromBits } from "../../../src/ipam/builtin/prefix-trie.ts";
import { addressIn } from "../arbitraries.ts";

const bases = [parsePrefix("10.0.0.0/24"), parsePrefix("fd00::ff00/120")];

/** A prefix in `base`, at most `spread` bits longer, so that they meet often. */
function within(base: Prefix, spread: number): fc.Arbitrary<Prefix> {
  const length = Number(base.slice(base.indexOf("/") + 1));
  return fc
    .tuple(addressIn(base), fc.integer({ min: length, max: length + spread }))
    .map(([address, bits]) => prefixOf(address, bits));
}

/** Every prefix of `length` bits in `base`, lowest first. */
function subnets(base: Prefix, length: number): readonly Prefix[] {
  const start = Number(base.slice(base.indexOf("/") + 1));
  const count = 2 ** (length - start);
  const [head = "", step] = base.includes(":")
    ? ["fd00::", 2 ** (128 - length)]
    : ["10.0.0.", 2 ** (32 - length)];
  return Array.from({ length: count }, (_, i) => {
    const low = i * step;
    return parsePrefix(
      base.includes(":") ? `${head}${(0xff00 + low).toString(16)}/${length}` : `${head}${low}/${length}`,
    );
  });
}

describe("PrefixTrie", () => {
  for (const base of bases) {
    const length = Number(base.slice(base.indexOf("/") + 1));

    it(`finds overlaps in ${base} as a list does`, () => {
      const lists = fc.tuple(fc.uniqueArray(within(base, 8), { maxLength: 20 }), fc.nat(20), within(base, 8));
      fc.assert(
        fc.property(lists, ([prefixes, removed, probe]) => {
          const trie = new PrefixTrie();
          for (const prefix of prefixes) trie.add(bitsOfPrefix(prefix));
          for (const prefix of prefixes.slice(0, removed)) trie.delete(bitsOfPrefix(prefix));
          const rest = prefixes.slice(removed);
          assert.equal(
            trie.overlaps(bitsOfPrefix(probe)),
            rest.some((prefix) => overlaps(prefix, probe)),
          );
        }),
      );
    });

    it(`finds the lowest free block of ${base} as a list does`, () => {
      const lists = fc.tuple(
        fc.uniqueArray(within(base, 6), { maxLength: 30 }),
        fc.nat(5),
        fc.array(within(base, 8), { maxLength: 4 }),
        fc.integer({ min: 0, max: 6 }),
      );
      fc.assert(
        fc.property(lists, ([prefixes, removed, exclude, extra]) => {
          const trie = new PrefixTrie();
          for (const prefix of prefixes) trie.add(bitsOfPrefix(prefix));
          for (const prefix of prefixes.slice(0, removed)) trie.delete(bitsOfPrefix(prefix));
          const rest = [...prefixes.slice(removed), ...exclude].sort(comparePrefixes);
          const expected = subnets(base, length + extra).find(
            (subnet) => !rest.some((prefix) => overlaps(prefix, subnet)),
          );
          const found = trie.lowestFree(bitsOfPrefix(base), length + extra, exclude.map(bitsOfPrefix));
          assert.equal(found === undefined ? undefined : prefixFromBits(found), expected);
        }),
        { numRuns: 500 },
      );
    });
  }

  it("sees a prefix that holds the base", () => {
    const trie = new PrefixTrie();
    const base = bitsOfPrefix(parsePrefix("10.1.0.0/16"));
    assert.notEqual(trie.lowestFree(base, 24, []), undefined);
    assert.equal(trie.lowestFree(base, 24, [bitsOfPrefix(parsePrefix("10.0.0.0/8"))]), undefined);
    trie.add(bitsOfPrefix(parsePrefix("10.0.0.0/8")));
    assert.equal(trie.lowestFree(base, 24, []), undefined);
    assert.equal(trie.lowestFree(base, 8, []), undefined);
  });
});
