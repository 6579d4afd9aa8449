import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { filterBy, hasLabel, parseFlag } from "../../src/daemon/listing-filters.ts";

interface Thing {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const things: readonly Thing[] = [
  { name: "web", labels: { tier: "front", eu: "" } },
  { name: "db", labels: { tier: "back", eu: "" } },
  { name: "cache", labels: {} },
];
const keys = {
  name: ({ name }: Thing, value: string) => name.includes(value),
  label: ({ labels }: Thing, value: string) => hasLabel(labels, value),
};
const found = (filters: Record<string, string[]>) =>
  things.filter(filterBy(filters, keys)).map(({ name }) => name);

suite("filters of listings", () => {
  test("without filters everything passes", () => assert.deepEqual(found({}), ["web", "db", "cache"]));
  test("of one key's values one has to hold", () =>
    assert.deepEqual(found({ name: ["we", "ca"] }), ["web", "cache"]));
  test("every key has to hold", () => assert.deepEqual(found({ name: ["b"], label: ["tier=back"] }), ["db"]));
  test("every label has to hold", () => assert.deepEqual(found({ label: ["eu", "tier=front"] }), ["web"]));
  test("a label by its key alone", () => assert.deepEqual(found({ label: ["eu"] }), ["web", "db"]));
  test("a label with an empty value", () => assert.deepEqual(found({ label: ["eu="] }), ["web", "db"]));
  test("names that every object has are no labels", () =>
    assert.deepEqual(found({ label: ["constructor"] }), []));
  test("an unknown key is refused, with those there are", () => {
    for (const key of ["colour", "constructor"])
      assert.throws(() => found({ [key]: ["x"] }), {
        code: "INVALID_OPTION",
        message: `invalid filter "${key}": it should be one of name, label`,
      });
  });
  test("flags are true or false", () => {
    assert.equal(parseFlag("dangling", "1"), true);
    assert.equal(parseFlag("dangling", "false"), false);
    assert.throws(() => parseFlag("dangling", "yes"), /invalid filter dangling=yes/);
  });
});
