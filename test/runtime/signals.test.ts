import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { WeftError } from "../../src/core/index.ts";
import { exitStatusOf } from "../../src/runtime/exit-status.ts";
import { exitNumber, parseSignal, startFailureNumber } from "../../src/runtime/index.ts";
import { signalName } from "../../src/runtime/signals.ts";

suite("signals as people write them", () => {
  test("by name or number", () => {
    for (const [text, number] of [
      ["TERM", 15],
      ["SIGTERM", 15],
      ["sigkill", 9],
      ["1", 1],
      ["64", 64],
      ["RTMIN", 34],
      ["SIGRTMIN+3", 37],
      ["rtmax-1", 63],
    ] as const) {
      assert.equal(parseSignal(text), number, text);
    }
  });

  test("are refused when there is none", () => {
    for (const text of ["", "0", "65", "SIG", "FOO", "RTMIN+31", "RTMIN-1", "RTMAX+1", "15x", "-1"]) {
      assert.throws(() => parseSignal(text), { code: "INVALID_SIGNAL", message: `Invalid signal: ${text}` });
    }
  });

  test("have one name each, which leads back", () => {
    for (let number = 1; number <= 31; number++) assert.equal(parseSignal(signalName(number)), number);
    assert.equal(signalName(37), "SIGRTMIN+3");
    assert.equal(parseSignal(signalName(40)), 40);
  });
});

suite("how a command ended", () => {
  test("is read from a wait status", () => {
    assert.deepEqual(exitStatusOf(0), { code: 0, signal: null });
    assert.deepEqual(exitStatusOf(7 << 8), { code: 7, signal: null });
    assert.deepEqual(exitStatusOf(9), { code: null, signal: "SIGKILL" });
    assert.deepEqual(exitStatusOf(11 | 0x80), { code: null, signal: "SIGSEGV" }); // with a core dump
  });

  test("is a number as in a shell", () => {
    assert.equal(exitNumber({ code: 7, signal: null }), 7);
    assert.equal(exitNumber({ code: null, signal: "SIGKILL" }), 137);
    assert.equal(exitNumber({ code: null, signal: null }), undefined);
  });

  test("and why it could not start is one, as Docker's", () => {
    assert.equal(startFailureNumber(new WeftError("COMMAND_NOT_FOUND", "")), 127);
    assert.equal(startFailureNumber(new WeftError("COMMAND_NOT_EXECUTABLE", "")), 126);
    assert.equal(startFailureNumber(new WeftError("LAUNCH", "")), 125);
    assert.equal(startFailureNumber(new Error("x")), 125);
  });
});
