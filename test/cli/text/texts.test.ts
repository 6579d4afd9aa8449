import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DetachKeys, detachSequence } from "../../../src/cli/foreground/detach-keys.ts";
import { spokenDuration } from "../../../src/cli/text/durations.ts";
import { printable, shorten } from "../../../src/cli/text/printable.ts";
import { alignColumns } from "../../../src/cli/text/table.ts";
import { parseTemplate, renderTemplate } from "../../../src/cli/text/template.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

for (const [durationMs, words] of [
  [-5, "Less than a second"],
  [999, "Less than a second"],
  [second, "1 second"],
  [59 * second, "59 seconds"],
  [60 * second, "About a minute"],
  [120 * second, "2 minutes"],
  [59 * 60 * second, "59 minutes"],
  [hour, "About an hour"],
  [1.4 * hour, "About an hour"],
  [1.5 * hour, "2 hours"],
  [47 * hour, "47 hours"],
  [2 * day, "2 days"],
  [13 * day, "13 days"],
  [14 * day, "2 weeks"],
  [59 * day, "8 weeks"],
  [60 * day, "2 months"],
  [700 * day, "23 months"],
  [730 * day, "2 years"],
  [4000 * day, "10 years"],
] as const) {
  test(`${durationMs} ms are spoken of as ${words}`, () => assert.equal(spokenDuration(durationMs), words));
}

const cell = fc.string({ unit: "grapheme-ascii" }).map((text) => text.replaceAll(/\s/g, "_"));

test("in a table, what stands in one column begins at one place, and no line ends in a space", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), (width) => {
      fc.assert(
        fc.property(
          fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }),
          (rows) => {
            const lines = alignColumns(rows).split("\n").slice(0, -1);
            assert.equal(lines.length, rows.length);
            const starts = Array.from({ length: width }, (_, column) =>
              rows[0]?.slice(0, column).reduce((at, _cell, before) => {
                const longest = Math.max(...rows.map((row) => row[before]?.length ?? 0));
                return at + Math.max(10, longest + 3);
              }, 0),
            );
            rows.forEach((row, at) => {
              assert.doesNotMatch(lines[at] ?? "", / $/);
              const line = (lines[at] ?? "").padEnd(10_000);
              for (const [column, text] of row.entries()) assert.ok(line.startsWith(text, starts[column]));
            });
          },
        ),
        { numRuns: 20 },
      );
    }),
    { numRuns: 5 },
  );
});

test("nothing that a terminal would obey is left in a printable text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const shown = printable(text);
      assert.ok([...shown].every((character) => !/\p{Cc}/u.test(character)));
      if (!/\p{Cc}/u.test(text)) assert.equal(shown, text);
    }),
  );
  assert.equal(printable("a\u001b[31m\u009bb\n"), "a\\x1b[31m\\x9bb\\x0a");
});

test("a shortened text is as long as it may be, in characters and not in halves of them", () => {
  assert.equal(shorten("abcdef", 6), "abcdef");
  assert.equal(shorten("abcdefg", 6), "abcde…");
  assert.equal(shorten("😀😀😀", 2), "😀…");
});

test("a template of text alone gives the text", () => {
  const plain = fc.string().filter((text) => !text.includes("{{") && !text.includes("\\"));
  fc.assert(fc.property(plain, (text) => assert.equal(renderTemplate(parseTemplate(text), {}), text)));
});

test("a template gives the values of fields, and of fields of fields", () => {
  const object = { A: { B: "x", "c-d": 3 }, E: null, F: [1, "two"], G: false, __proto__: { H: 1 } };
  const render = (format: string) => renderTemplate(parseTemplate(format), object);
  assert.equal(render("<{{.A.B}}>{{ .A.c-d }}\\t{{.E}} {{.G}}\\n"), "<x>3\tnull false\n");
  assert.equal(render("{{json .A.B}} {{json .F}} {{.F}} {{.F.1}}"), '"x" [1,"two"] [1,"two"] two');
  assert.equal(render("{{json .}}"), JSON.stringify(object));
  for (const format of ["{{.H}}", "{{.constructor}}", "{{.A.B.length}}", "{{.A.Z}}"]) {
    assert.throws(() => render(format), /^UsageError: --format: no field /);
  }
});

test("keys that detach are found however they are cut, and all else is passed on", () => {
  const sequence = detachSequence("ctrl-p,ctrl-p,q");
  const bytes = fc.array(fc.constantFrom(16, 113, 97), { maxLength: 30 });
  fc.assert(
    fc.property(bytes, fc.array(fc.integer({ min: 1, max: 4 })), (typed, cuts) => {
      const whole = new DetachKeys(sequence).read(Uint8Array.from(typed));
      const keys = new DetachKeys(sequence);
      const passed: number[] = [];
      let detached = false;
      for (let at = 0, turn = 0; at < typed.length && !detached; turn++) {
        const step = cuts[turn] ?? 1;
        const read = keys.read(Uint8Array.from(typed.slice(at, at + step)));
        passed.push(...read.passed);
        detached = read.detached;
        at += step;
      }
      assert.equal(detached, whole.detached);
      assert.deepEqual(passed, [...whole.passed]);
      const at = Buffer.from(typed).indexOf(Buffer.from(sequence));
      assert.equal(detached, at >= 0);
      if (detached) assert.deepEqual(passed, typed.slice(0, at));
    }),
  );
});
