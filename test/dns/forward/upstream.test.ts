import assert from "node:assert/strict";
import { test } from "node:test";
import { askingOrder, Upstream } from "../../../src/dns/forward/upstream.ts";
import { serverKey, usableServers } from "../../../src/dns/forward/upstream-server.ts";
import { addresses } from "../samples.ts";
import { servers } from "./manual-sockets.ts";

function upstreams(count: number): readonly Upstream[] {
  return servers("10.0.0.1", "10.0.0.2", "fd00::3")
    .slice(0, count)
    .map((server) => new Upstream(server));
}

function failing(upstream: Upstream, times: number): void {
  for (let i = 0; i < times; i++) upstream.noteFailure();
}

test("a server is doubted after three failures in a row, and not after an answer or a refusal", () => {
  const [upstream] = upstreams(1);
  assert.ok(upstream);
  for (const lives of [() => upstream.noteAnswer(0, 10, true), () => upstream.noteAlive(0)]) {
    failing(upstream, 2);
    lives();
    failing(upstream, 2);
    assert.equal(upstream.isDoubted, false);
    upstream.noteFailure();
    assert.deepEqual([upstream.isDoubted, upstream.isDown], [true, false]);
    lives();
    assert.equal(upstream.isDoubted, false);
  }
});

test("a server is down when a probe fails, however often it failed before, and up after one answer", () => {
  const [upstream] = upstreams(1);
  assert.ok(upstream);
  failing(upstream, 100);
  assert.equal(upstream.status.state, "up");
  assert.equal(upstream.noteProbeFailed(10, 1510), true);
  assert.deepEqual([upstream.status.state, upstream.isDoubted], ["down", false]);
  upstream.noteAnswer(2000, undefined, true);
  assert.equal(upstream.isDown, false);
  assert.equal(upstream.noteProbeFailed(1999, 3499), false, "it has answered since the probe began");
  assert.equal(upstream.isDown, false);
});

test("a server that answers others is not doubted for its silence to some", () => {
  const [upstream] = upstreams(1);
  assert.ok(upstream);
  upstream.noteAnswer(10, 5, true);
  for (let i = 0; i < 5; i++) upstream.noteSilence(9);
  assert.deepEqual([upstream.isDoubted, upstream.status.failed], [false, 5]);
  for (let i = 0; i < 2; i++) upstream.noteSilence(10);
  assert.equal(upstream.isDoubted, false);
  upstream.noteSilence(11);
  assert.equal(upstream.isDoubted, true);
});

test("it rests for longer each time that a probe fails again, up to a minute", () => {
  const [upstream] = upstreams(1);
  assert.ok(upstream);
  let now = 0;
  upstream.noteProbeFailed(0, now);
  const rests: number[] = [];
  for (let i = 0; i < 9; i++) {
    let rest = 0;
    while (!upstream.hasRested(now + rest)) rest += 100;
    rests.push(rest);
    failing(upstream, 5); // other questions that fail meanwhile do not count
    upstream.noteSilence(now);
    now += rest;
    assert.equal(upstream.noteProbeFailed(now, now), false, "it was down already");
  }
  assert.deepEqual(rests, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("those that are down are asked last, in their order", () => {
  const [a, b, c] = upstreams(3);
  assert.ok(a && b && c);
  failing(c, 3); // doubted only
  a.noteProbeFailed(0, 0);
  assert.deepEqual(askingOrder([a, b, c]), [b, c, a]);
  c.noteProbeFailed(0, 0);
  assert.deepEqual(askingOrder([a, b, c]), [b, a, c]);
  b.noteProbeFailed(0, 0);
  assert.deepEqual(askingOrder([a, b, c]), [a, b, c]);
});

test("patience follows the time that answers take, within bounds", () => {
  const table: readonly (readonly [rtts: readonly number[], patience: number])[] = [
    [[], 400],
    [[1], 200],
    [[100], 400],
    [[100, 200], 450],
    [[2000], 1000],
  ];
  for (const [rtts, patience] of table) {
    const [upstream] = upstreams(1);
    assert.ok(upstream);
    for (const rtt of rtts) upstream.noteAnswer(0, rtt, true);
    assert.equal(upstream.patienceMs, patience, rtts.join());
  }
});

test("EDNS is left out when asking again, until it is known to be understood", () => {
  const [upstream] = upstreams(1);
  assert.ok(upstream);
  assert.deepEqual([upstream.wantsEdns(0, false), upstream.wantsEdns(0, true)], [true, false]);
  upstream.noteWithoutEdns(0);
  assert.deepEqual([upstream.wantsEdns(899_999, false), upstream.wantsEdns(900_000, false)], [false, true]);
  upstream.noteAnswer(0, 5, true);
  assert.equal(upstream.wantsEdns(900_000, true), true);
});

test("servers are told apart by address, port and namespace, and this resolver is none", () => {
  const [address, own] = addresses("10.0.0.1", "127.0.0.11");
  assert.ok(address && own);
  const list = [
    { address, netns: "/a" },
    { address, netns: "/a", port: 53 },
    { address, netns: "/b" },
    { address, netns: "/a", port: 5353 },
    { address: own, netns: "/a" },
    { address: own, netns: "/b" },
  ];
  const usable = usableServers({ servers: list, ownNetns: "/a" }).map(serverKey);
  assert.deepEqual(usable, ["10.0.0.1% 53 /a", "10.0.0.1% 53 /b", "10.0.0.1% 5353 /a", "127.0.0.11% 53 /b"]);
});
