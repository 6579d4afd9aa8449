import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { filterBy, hasLabel, parseFlag, parsePorts } from "../../src/daemon/listing-filters.ts";

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
  test("a value that is read once is refused before anything is looked at", () => {
    const read = (value: string) => {
      if (value === "bad") throw new RangeError(value);
      return ({ name }: Thing) => name === value;
    };
    assert.deepEqual(
      things.filter(filterBy({ is: ["db", "web"] }, { is: { read } })).map(({ name }) => name),
      ["web", "db"],
    );
    assert.throws(() => filterBy({ is: ["bad"] }, { is: { read } }), RangeError);
  });
  test("ports are one or a range, of tcp unless a protocol is named", () => {
    const ports = [
      { port: 80, protocol: "tcp" },
      { port: 53, protocol: "udp" },
    ] as const;
    for (const [value, has] of [
      ["80", true],
      ["80/tcp", true],
      ["80/udp", false],
      ["53", false],
      ["53/udp", true],
      ["79-81", true],
      ["81-90", false],
      ["50-60/UDP", true],
    ] as const)
      assert.equal(parsePorts("publish", value)(ports), has, value);
    for (const value of ["", "x", "0", "70000", "90-80", "80:80", "80/foo", "-1"])
      assert.throws(() => parsePorts("expose", value), {
        code: "INVALID_OPTION",
        message: `invalid filter expose=${value}: it should be PORT[-PORT][/PROTOCOL], as 80 or 8080-8090/udp`,
      });
  });
  test("flags are true or false", () => {
    assert.equal(parseFlag("dangling", "1"), true);
    assert.equal(parseFlag("dangling", "false"), false);
    assert.throws(() => parseFlag("dangling", "yes"), /invalid filter dangling=yes/);
  });
});
