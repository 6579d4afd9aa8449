import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseTime, parseUntil, spanText, timeText } from "../../src/daemon/time-text.ts";

suite("times in words", () => {
  test("a time is RFC 3339 in UTC, and nothing where there is none", () => {
    assert.equal(timeText(0), "1970-01-01T00:00:00.000Z");
    assert.equal(timeText(undefined), "");
  });

  const spans: readonly (readonly [ms: number, text: string])[] = [
    [0, "Less than a second"],
    [999, "Less than a second"],
    [1000, "1 second"],
    [59_999, "59 seconds"],
    [60_000, "1 minute"],
    [3 * 3_600_000 + 1, "3 hours"],
    [8 * 86_400_000, "1 week"],
    [800 * 86_400_000, "2 years"],
  ];
  for (const [ms, text] of spans) test(`${ms} ms: ${text}`, () => assert.equal(spanText(ms), text));

  test("seconds since 1970 and RFC 3339 are read; other words are not", () => {
    assert.equal(parseTime("since", "1.5"), 1500);
    assert.equal(parseTime("since", "1970-01-01T00:00:02Z"), 2000);
    for (const text of ["", "yesterday", "12:00", "2026-13-45"])
      assert.throws(() => parseTime("since", text), /invalid since .*it should be a time/);
  });

  test("a span counts back from now", () => {
    const now = 100 * 3_600_000;
    assert.equal(parseUntil("24h", now), 76 * 3_600_000);
    assert.equal(parseUntil("1h30m", now), now - 90 * 60_000);
    assert.equal(parseUntil("1970-01-01", now), 0);
    assert.throws(() => parseUntil("1x", now), /invalid until/);
  });
});
