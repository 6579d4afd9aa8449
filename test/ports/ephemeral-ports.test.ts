import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ephemeralSettings,
  fallbackRange,
  parseLocalPortRange,
  parseReservedPorts,
  portsAfter,
} from "../../src/ports/index.ts";

test("the kernel's range is read, and anything else means the fallback", () => {
  assert.deepEqual(parseLocalPortRange("32768\t60999\n"), { first: 32_768, last: 60_999 });
  assert.deepEqual(parseLocalPortRange("1 65535"), { first: 1, last: 65_535 });
  for (const text of ["", "32768", "60999 32768", "0 10", "1 65536", "a b", "1 2 3"])
    assert.deepEqual(parseLocalPortRange(text), fallbackRange, text);
});

test("reserved ports are read as the kernel prints them", () => {
  assert.deepEqual(parseReservedPorts("\n"), []);
  assert.deepEqual(parseReservedPorts("8080,9000-9010,65535\n"), [
    { first: 8080, last: 8080 },
    { first: 9000, last: 9010 },
    { first: 65_535, last: 65_535 },
  ]);
  assert.deepEqual(parseReservedPorts("8080,x,9-8,70000"), [{ first: 8080, last: 8080 }]);
});

test("settings come from the host's sysctls", () => {
  const sysctls = new Map([
    ["net/ipv4/ip_local_port_range", "40000\t40009"],
    ["net/ipv4/ip_local_reserved_ports", "40001"],
  ]);
  const settings = ephemeralSettings((key) => sysctls.get(key));
  assert.deepEqual(
    [...portsAfter(40_008, settings)],
    [40_009, 40_000, 40_002, 40_003, 40_004, 40_005, 40_006, 40_007, 40_008],
  );
  assert.deepEqual(
    ephemeralSettings(() => undefined),
    { range: fallbackRange, reserved: [] },
  );
});

test("each port that is not reserved comes once, the one given last comes last", () => {
  const part = fc.tuple(fc.integer({ min: 990, max: 1060 }), fc.nat({ max: 9 }));
  const reserved = fc.array(
    part.map(([first, more]) => ({ first, last: first + more })),
    { maxLength: 4 },
  );
  const range = fc.nat({ max: 50 }).map((more) => ({ first: 1000, last: 1000 + more }));
  const settings = fc.record({ range, reserved });
  fc.assert(
    fc.property(settings, fc.integer({ min: 900, max: 1100 }), (given, previous) => {
      const ports = [...portsAfter(previous, given)];
      const isFree = (port: number) => !given.reserved.some((r) => r.first <= port && port <= r.last);
      const { first, last } = given.range;
      const free = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(isFree);
      assert.deepEqual(
        [...ports].sort((a, b) => a - b),
        free,
      );
      if (free.includes(previous)) assert.equal(ports.at(-1), previous);
      const turns = ports.filter((port, i) => i > 0 && port < (ports[i - 1] ?? 0));
      assert.ok(turns.length <= 1, "goes round once");
    }),
  );
});
