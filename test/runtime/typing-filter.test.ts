import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { typingFilter } from "../../src/runtime/typing-filter.ts";

const tables = [
  { arch: 1, ioctl: [16, 514] },
  { arch: 2, ioctl: [54] },
];
const TIOCSTI = 0x5412;

/** Runs the program as the kernel does on a call: by its architecture, number and second argument. */
function judge(arch: number, number: number, request: number): number {
  const words = new Map([
    [0, number],
    [4, arch],
    [24, request],
  ]);
  const program = typingFilter(tables);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const [code, ifTrue, ifFalse, k] = program[at] ?? [];
    if (code === 0x06) return k ?? -1;
    if (code === 0x20) accumulator = words.get(k ?? -1) ?? -1;
    else at += (accumulator === k ? ifTrue : ifFalse) ?? 0;
    assert.ok(code === 0x20 || code === 0x15);
  }
}

suite("the filter against typing", () => {
  test("refuses two requests of ioctl, of any architecture that is known, and nothing else", () => {
    for (const [arch, number, request, refused] of [
      [1, 16, TIOCSTI, true],
      [1, 16, 0x541c, true],
      [1, 514, TIOCSTI, true],
      [2, 54, TIOCSTI, true],
      [2, 54, 0x541c, true],
      [1, 16, 0x5413, false],
      [2, 54, 0x5413, false],
      [1, 54, TIOCSTI, false],
      [2, 16, TIOCSTI, false],
      [3, 16, TIOCSTI, false],
    ] as const) {
      assert.equal(
        judge(arch, number, request),
        refused ? 0x00050001 : 0x7fff0000,
        `${arch} ${number} ${request}`,
      );
    }
  });
});
