import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "dns-packet";
import { dataOf, queryFor } from "../samples.ts";
import { ForwardRig } from "./forward-rig.ts";
import type { SentQuery } from "./manual-sockets.ts";
import { aRecords, type ResponseParts, responseTo, soaRecord } from "./upstream-samples.ts";

const found = { answers: aRecords("www.example.org", 60, "192.0.2.1") };
const other = { answers: aRecords("www.example.org", 60, "192.0.2.2") };
const nothing = { rcode: 3, authorities: [soaRecord("example.org", 60, 60)] };
const [a, b, c] = ["10.0.0.1", "10.0.0.2", "fd00::3"];

test("the first server is asked alone, and its answer is given", async () => {
  const { sockets, timers, ask } = rig(a, b);
  const reply = ask();
  assert.deepEqual(sockets.log, [`${a} udp`]);
  sockets.last.answer(found);
  assert.deepEqual(dataOf(await reply), ["192.0.2.1"]);
  assert.deepEqual([sockets.open, timers.running], [0, 0]);
});

test("a server that refuses, or cannot be reached, makes way for the next at once", async () => {
  const ways: readonly (readonly [why: string, fail: (first: SentQuery) => void])[] = [
    ["SERVFAIL", (first) => first.answer({ rcode: 2 })],
    ["REFUSED", (first) => first.answer({ rcode: 5 })],
    ["YXDOMAIN", (first) => first.answer({ rcode: 6 })],
    ["a broken answer", (first) => first.deliver(sayingMoreThanItHas(first.query))],
    ["an unreachable port", (first) => first.fail()],
  ];
  for (const [why, fail] of ways) {
    const { sockets, timers, ask } = rig(a, b);
    const reply = ask();
    fail(sockets.last);
    assert.equal(sockets.last.server, b, why);
    sockets.last.answer(other);
    assert.deepEqual(dataOf(await reply), ["192.0.2.2"], why);
    assert.deepEqual([sockets.open, timers.running], [0, 0], why);
  }
  const { sockets, timers, ask } = rig(a, b);
  sockets.unreachable.add(a);
  const reply = ask();
  sockets.last.answer(other);
  assert.deepEqual(dataOf(await reply), ["192.0.2.2"]);
  assert.deepEqual([sockets.open, timers.running], [0, 0]);
});

/** A response that announces a record and has none. */
function sayingMoreThanItHas(query: Uint8Array): Buffer {
  const message = responseTo(query, {});
  message.writeUInt16BE(1, 6);
  return message;
}

test("NXDOMAIN of the first server is final", async () => {
  const { sockets, ask } = rig(a, b);
  const reply = ask();
  sockets.last.answer(nothing);
  assert.equal((await reply).rcode, "NXDOMAIN");
  assert.equal(sockets.sent.length, 1);
});

test("when all refuse, the last refusal is told; when none can be asked, SERVFAIL", async () => {
  const { sockets, timers, ask } = rig(a, b);
  const reply = ask();
  sockets.last.answer({ rcode: 2 });
  sockets.last.answer({ rcode: 5 });
  assert.equal((await reply).rcode, "REFUSED");
  const dead = rig(a, b);
  dead.sockets.unreachable.add(a).add(b);
  assert.equal((await dead.ask()).rcode, "SERVFAIL");
  assert.deepEqual([sockets.open, timers.running, dead.timers.running], [0, 0, 0]);
});

test("a server that takes long gets company, and the first answer wins", async () => {
  for (const winner of [0, 1]) {
    const { sockets, timers, ask } = rig(a, b);
    const reply = ask();
    timers.advance(399);
    assert.equal(sockets.sent.length, 1);
    timers.advance(1);
    assert.deepEqual(sockets.log, [`${a} udp`, `${b} udp`]);
    sockets.sent[winner]?.answer(found);
    assert.equal((await reply).rcode, "NOERROR");
    assert.deepEqual([sockets.open, timers.running], [0, 0]);
  }
});

test("that there is nothing is not believed of a later server before the first had its time", async () => {
  const inTime = rig(a, b);
  const first = inTime.ask();
  inTime.timers.advance(400);
  inTime.sockets.last.answer(nothing);
  inTime.timers.advance(1000);
  inTime.sockets.sent[0]?.answer(found);
  assert.deepEqual(dataOf(await first), ["192.0.2.1"]);

  const silent = rig(a, b);
  const second = silent.ask();
  silent.timers.advance(400);
  silent.sockets.last.answer(nothing);
  silent.timers.advance(1099);
  assert.equal(silent.sockets.open, 1);
  silent.timers.advance(1);
  assert.equal((await second).rcode, "NXDOMAIN");

  const failing = rig(a, b);
  const third = failing.ask();
  failing.timers.advance(400);
  failing.sockets.last.answer(nothing);
  failing.sockets.sent[0]?.fail();
  assert.equal((await third).rcode, "NXDOMAIN");
  for (const { sockets, timers } of [inTime, silent, failing]) {
    assert.deepEqual([sockets.open, timers.running], [0, 0]);
  }
});

test("an alias to a name that has nothing of the type is nothing: of a later server it is not believed at once", async () => {
  const { sockets, timers, ask } = rig(a, b);
  const alias: ResponseParts = {
    answers: [{ type: "CNAME", name: "www.example.org", ttl: 60, class: "IN", data: "v4only.example.org" }],
    authorities: [soaRecord("example.org", 60, 60)],
  };
  const reply = ask(queryFor("www.example.org", "AAAA"));
  timers.advance(400);
  sockets.last.answer(alias);
  const aaaa: Answer = { type: "AAAA", name: "www.example.org", ttl: 60, class: "IN", data: "2001:db8::1" };
  sockets.sent[0]?.answer({ answers: [aaaa] });
  assert.deepEqual(dataOf(await reply), ["2001:db8::1"]);
  assert.deepEqual([sockets.open, timers.running], [0, 0]);
});

test("silent servers are asked again, and all ends before the client gives up", async () => {
  const { sockets, timers, counters, ask } = rig(a);
  const reply = ask();
  const when: number[] = [];
  for (let ms = 0; ms < 4500; ms += 100) {
    if (sockets.sent.length > when.length) when.push(timers.now());
    timers.advance(100);
  }
  assert.deepEqual(when, [0, 1500, 3000]);
  assert.equal((await reply).rcode, "SERVFAIL");
  assert.deepEqual([sockets.open, timers.running, counters.upstreamTimeouts], [0, 0, 2]);
  const ids = new Set(sockets.sent.map(({ query }) => Buffer.from(query).readUInt16BE(0)));
  assert.ok(ids.size > 1, "each has an id of its own");
});

test("a late answer to an earlier query is taken", async () => {
  const { sockets, timers, ask } = rig(a);
  const reply = ask();
  timers.advance(1600);
  sockets.sent[0]?.answer(found);
  assert.deepEqual(dataOf(await reply), ["192.0.2.1"]);
});

test("many servers that are all silent are not asked for ever", async () => {
  const { sockets, timers, ask } = rig(a, b, c);
  const reply = ask();
  timers.advance(5000);
  assert.equal((await reply).rcode, "SERVFAIL");
  assert.deepEqual([...new Set(sockets.log)], [`${a} udp`, `${b} udp`, `${c} udp`]);
  assert.ok(sockets.sent.length <= 7, `${sockets.sent.length}`);
  assert.deepEqual([sockets.open, timers.running], [0, 0]);
});

function rig(...addresses: readonly string[]) {
  const made = new ForwardRig(addresses);
  const ask = (query?: Uint8Array) => made.ask(query);
  return {
    sockets: made.sockets,
    timers: made.timers,
    counters: made.counters,
    forwarder: made.forwarder,
    ask,
  };
}
