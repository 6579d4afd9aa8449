import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../../src/core/index.ts";
import { VirtualTimers } from "../../../src/gossip/index.ts";
import { Awareness } from "../../../src/gossip/membership/awareness.ts";
import {
  pushPullInterval,
  retransmitLimit,
  suspicionTimeout,
  suspicionTimes,
} from "../../../src/gossip/membership/formulas.ts";
import { lanProfile, localProfile, wanProfile } from "../../../src/gossip/membership/profile.ts";
import { Suspicion } from "../../../src/gossip/membership/suspicion.ts";
import { areBadVersions, verifyVersions } from "../../../src/gossip/membership/versions.ts";

test("times and counts are those of memberlist for clusters of every size", () => {
  // N, suspicion at least and at most (s), retransmits, push/pull (s): gossip.md B.9.
  for (const [nodes, least, most, retransmits, pushPull] of [
    [3, 4, 24, 4, 30],
    [10, 4, 24, 8, 30],
    [100, 8, 48, 12, 90],
    [1000, 12, 72, 16, 180],
    [10_000, 16, 96, 20, 300],
  ] as const) {
    const times = suspicionTimes(lanProfile, nodes);
    assert.deepEqual(
      [Math.round(times.least), Math.round(times.most)],
      [1000 * least, 1000 * most],
      `${nodes} nodes`,
    );
    assert.equal(times.confirmations, nodes === 3 ? 0 : 2);
    assert.equal(retransmitLimit(4, nodes), retransmits);
    assert.equal(pushPullInterval(30_000, nodes), 1000 * pushPull);
  }
  assert.equal(suspicionTimes(wanProfile, 10).least, 30_000);
  assert.equal(suspicionTimes(localProfile, 10).least, 3000);
});

test("a suspicion ends sooner with each confirmation, and never before its least time", () => {
  const times = { confirmations: 3, least: 2000, most: 30_000 };
  const timeouts = [0, 1, 2, 3].map((n) => suspicionTimeout(times, n));
  assert.deepEqual(timeouts, [30_000, 16_000, 7810, 2000]);
  assert.equal(suspicionTimeout({ ...times, confirmations: 0 }, 0), 2000);
});

test("each other node confirms a suspicion once, and the one that began it never does", () => {
  const timers = new VirtualTimers();
  let expired = -1;
  const times = { confirmations: 2, least: 1000, most: 10_000 };
  const suspicion = new Suspicion({ timers, times, from: "a", expired: (n) => (expired = n) });
  assert.deepEqual(
    ["a", "b", "b", "c", "d"].map((from) => suspicion.confirm(from)),
    [false, true, false, true, false],
  );
  timers.advance(999);
  assert.equal(expired, -1);
  timers.advance(1);
  assert.equal(expired, 2);
});

test("a suspicion that is confirmed after its least time is over at once, and one that was cancelled never", () => {
  const timers = new VirtualTimers();
  const ended: string[] = [];
  const times = { confirmations: 1, least: 1000, most: 10_000 };
  const late = new Suspicion({ timers, times, from: "a", expired: () => ended.push("late") });
  const refuted = new Suspicion({ timers, times, from: "a", expired: () => ended.push("refuted") });
  refuted.cancel();
  timers.advance(5000);
  late.confirm("b");
  timers.advance(0);
  timers.advance(60_000);
  assert.deepEqual(ended, ["late"]);
});

test("local health stays between its bounds and stretches intervals", () => {
  const awareness = new Awareness(8);
  awareness.apply(-3);
  assert.equal(awareness.score, 0);
  assert.equal(awareness.scale(1000), 1000);
  awareness.apply(100);
  assert.equal(awareness.score, 7);
  assert.equal(awareness.scale(1000), 8000);
});

test("versions must meet in what all nodes understand", () => {
  const versions = (...bytes: readonly number[]) => ({
    name: bytes.join("."),
    versions: Uint8Array.from(bytes),
  });
  verifyVersions([
    versions(1, 5, 2, 0, 0, 0),
    versions(1, 3, 3, 0, 0, 0),
    { name: "old", versions: new Uint8Array(0) },
  ]);
  const refused = (error: unknown) => isWeftError(error, "GOSSIP_PROTOCOL");
  assert.throws(() => verifyVersions([versions(1, 5, 4, 0, 0, 0), versions(1, 3, 3, 0, 0, 0)]), refused);
  assert.throws(() => verifyVersions([versions(1, 5, 2, 2, 5, 5), versions(1, 5, 2, 0, 0, 0)]), refused);
  assert.deepEqual(
    [[], [0, 5, 2], [1, 0, 2], [3, 2, 2], [1, 5, 2]].map((bytes) => areBadVersions(Uint8Array.from(bytes))),
    [false, true, true, true, false],
  );
});
