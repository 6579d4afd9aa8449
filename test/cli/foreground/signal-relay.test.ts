import assert from "node:assert/strict";
import { test } from "node:test";
import { SignalRelay } from "../../../src/cli/foreground/signal-relay.ts";

function withRelay(work: (relay: SignalRelay) => void): void {
  const relay = new SignalRelay();
  try {
    work(relay);
  } finally {
    relay.close();
  }
}

test("a signal before the command begins gives up its start", () =>
  withRelay((relay) => {
    process.emit("SIGTERM", "SIGTERM");
    process.emit("SIGHUP", "SIGHUP");
    assert.equal(relay.signal.aborted, true);
    assert.equal(relay.gaveUp, "SIGTERM");
  }));

test("one that comes while the start is being answered waits for the command", () =>
  withRelay((relay) => {
    relay.hold();
    process.emit("SIGHUP", "SIGHUP");
    process.emit("SIGTERM", "SIGTERM");
    assert.equal(relay.signal.aborted, false);
    const heard: NodeJS.Signals[] = [];
    relay.to((signal) => heard.push(signal));
    assert.deepEqual(heard, ["SIGHUP", "SIGTERM"]);
    process.emit("SIGINT", "SIGINT");
    assert.deepEqual(heard, ["SIGHUP", "SIGTERM", "SIGINT"]);
    assert.equal(relay.gaveUp, undefined);
  }));

test("a closed relay hears nothing", () => {
  const before = process.listenerCount("SIGTERM");
  withRelay(() => assert.equal(process.listenerCount("SIGTERM"), before + 1));
  assert.equal(process.listenerCount("SIGTERM"), before);
});
