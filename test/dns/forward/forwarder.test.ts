import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "dns-packet";
import { dataOf, decodeResponse, idOf, opt, queryFor } from "../samples.ts";
import { ForwardRig, sandbox } from "./forward-rig.ts";
import { servers } from "./manual-sockets.ts";
import { aRecords, asking, type ResponseParts, responseTo, soaRecord } from "./upstream-samples.ts";

const neighbour = idOf(102);
const a = "10.0.0.1";
const found = { answers: aRecords("www.example.org", 60, "192.0.2.1") };
const query = queryFor("www.example.org");

test("a server is asked with EDNS of our own, in lower case, with the client's RD, CD and DO", () => {
  const { sockets, forwarder } = new ForwardRig([a]);
  const forward = forwarder.upstreamsOf(sandbox)?.forward;
  void forward?.({
    query: asking(queryFor("wWw.Example.org", "A", opt(4096, { flags: 0x8000 }))),
    transport: "udp",
  });
  const sent = decodeResponse(sockets.last.query);
  assert.deepEqual(sent.questions, [{ name: "www.example.org", type: "A", class: "IN" }]);
  assert.deepEqual([sent.flag_rd, sent.flag_cd, sent.flag_ad], [true, false, true]);
  const [record] = sent.additionals ?? [];
  assert.equal(record?.type === "OPT" && record.udpPayloadSize, 1232);
  assert.equal(record?.type === "OPT" && record.flag_do, true);
  void forward?.({ query: asking(queryFor("x.org", "A", { flags: 0x0010 })), transport: "udp" });
  const plain = decodeResponse(sockets.last.query);
  assert.deepEqual([plain.flag_rd, plain.flag_cd], [false, true]);
  const [ours] = plain.additionals ?? [];
  assert.equal(ours?.type === "OPT" && ours.flag_do, false);
  forwarder.close();
});

test("many who ask the same wait for one lookup, each answered as it asked", async () => {
  const rig = new ForwardRig([a]);
  rig.forwarder.set(neighbour, { servers: servers(a) });
  const replies = [
    rig.ask(queryFor("www.example.org", "A", { id: 1 })),
    rig.ask(queryFor("WWW.example.org", "A", { id: 2, ...opt(1232) }), "tcp"),
    rig.ask(queryFor("www.EXAMPLE.org", "A", { id: 3 }), "udp", neighbour),
  ];
  assert.equal(rig.sockets.sent.length, 1);
  rig.sockets.last.answer(found);
  const told = (await Promise.all(replies)).map((reply) => [
    reply.id,
    reply.questions?.[0]?.name,
    dataOf(reply)[0],
    reply.additionals?.length,
  ]);
  assert.deepEqual(told, [
    [1, "www.example.org", "192.0.2.1", 0],
    [2, "WWW.example.org", "192.0.2.1", 1],
    [3, "www.EXAMPLE.org", "192.0.2.1", 0],
  ]);
  const { forwarded, deduplicated, upstreamQueries, cacheHits } = rig.counters;
  assert.deepEqual([forwarded, deduplicated, upstreamQueries, cacheHits], [3, 2, 1, 0]);
});

test("what waits does not use the message it came in", async () => {
  const rig = new ForwardRig([a]);
  const message = queryFor("wWw.example.org");
  const reply = rig.ask(message);
  message.fill(0xee);
  rig.sockets.last.answer(found);
  assert.equal((await reply).questions?.[0]?.name, "wWw.example.org");
});

test("answers are kept, grow older, and end", async () => {
  const rig = new ForwardRig([a]);
  const first = rig.ask();
  rig.sockets.last.answer(found);
  await first;
  rig.timers.advance(20_999);
  const upstreams = rig.forwarder.upstreamsOf(sandbox);
  const reply = upstreams?.forward({ query: asking(query), transport: "udp" });
  assert.ok(reply instanceof Uint8Array, "no turn of the event loop");
  const [record] = decodeResponse(reply).answers ?? [];
  assert.equal(record !== undefined && "ttl" in record ? record.ttl : 0, 40);
  assert.deepEqual([rig.counters.cacheHits, rig.sockets.sent.length], [1, 1]);
  rig.timers.advance(39_001);
  const again = rig.ask();
  assert.equal(rig.sockets.sent.length, 2);
  rig.sockets.last.answer(found);
  await again;
  rig.forwarder.flushCache();
  void rig.raw(query);
  assert.equal(rig.sockets.sent.length, 3);
  rig.forwarder.close();
});

test("that there is nothing is kept for as long as the SOA says", async () => {
  const rig = new ForwardRig([a]);
  const first = rig.ask();
  rig.sockets.last.answer({ rcode: 3, authorities: [soaRecord("example.org", 60, 30)] });
  await first;
  rig.timers.advance(29_999);
  assert.equal((await rig.ask()).rcode, "NXDOMAIN");
  assert.equal(rig.sockets.sent.length, 1);
  rig.timers.advance(1);
  void rig.raw(query);
  assert.equal(rig.sockets.sent.length, 2);
  rig.forwarder.close();
});

test("a failure is kept for a second, one of this host's own not at all", async () => {
  const rig = new ForwardRig([a]);
  const first = rig.ask();
  rig.sockets.last.answer({ rcode: 2 });
  assert.equal((await first).rcode, "SERVFAIL");
  assert.equal((await rig.ask()).rcode, "SERVFAIL");
  assert.equal(rig.sockets.sent.length, 1);
  rig.timers.advance(1000);
  const second = rig.ask();
  assert.equal(rig.sockets.sent.length, 2);
  rig.sockets.last.answer(found);
  await second;
  rig.sockets.unreachable.add(a);
  assert.equal((await rig.ask(queryFor("new.example.org"))).rcode, "SERVFAIL");
  rig.sockets.unreachable.clear();
  void rig.raw(queryFor("new.example.org"));
  assert.equal(rig.sockets.sent.length, 3);
  rig.forwarder.close();
});

test("a truncated answer is asked for over TCP, and kept whole", async () => {
  const rig = new ForwardRig([a]);
  const reply = rig.ask(queryFor("www.example.org", "A", opt(4096)));
  rig.sockets.last.answer({ flags: 0x0200 });
  assert.deepEqual(rig.sockets.log, [`${a} udp`, `${a} tcp`]);
  const many = aRecords("www.example.org", 60, ...Array.from({ length: 60 }, (_, i) => `192.0.2.${i}`));
  rig.sockets.last.answer({ answers: many });
  assert.equal((await reply).answers?.length, 60);
  const small = await rig.ask();
  assert.deepEqual([small.flag_tc, rig.sockets.sent.length, rig.counters.upstreamOverTcp], [true, 2, 1]);
  assert.equal((await rig.ask(query, "tcp")).answers?.length, 60);
});

test("when TCP does not work, the client is told to try itself, and nothing is kept", async () => {
  const rig = new ForwardRig([a]);
  for (const fail of ["refused", "no socket"]) {
    const reply = rig.ask();
    if (fail === "no socket") rig.sockets.unreachable.add(a);
    rig.sockets.last.answer({ flags: 0x0200 });
    rig.sockets.last.fail();
    const { flag_tc, rcode } = await reply;
    assert.deepEqual([flag_tc, rcode, rig.forwarder.stats().cacheEntries], [true, "NOERROR", 0], fail);
  }
  assert.equal(rig.forwarder.stats().upstreams[0]?.state, "up");
});

test("forged answers are passed over, and many of them lead to TCP", async () => {
  const rig = new ForwardRig([a]);
  const reply = rig.ask();
  const sent = rig.sockets.last;
  const right = Buffer.from(sent.query).readUInt16BE(0);
  for (let guess = 1; guess <= 16; guess++) {
    assert.equal(rig.sockets.sent.length, 1);
    const forged = responseTo(sent.query, { answers: aRecords("www.example.org", 60, "203.0.113.6") });
    forged.writeUInt16BE((right + guess) & 0xffff, 0);
    sent.deliver(forged);
  }
  assert.deepEqual([rig.counters.strayAnswers, rig.sockets.log.at(-1)], [16, `${a} tcp`]);
  rig.sockets.last.answer(found);
  assert.deepEqual(dataOf(await reply), ["192.0.2.1"]);
});

test("a server that knows no EDNS is asked without, and not again with it for a while", async () => {
  const rig = new ForwardRig([a]);
  const hasOpt = () => (decodeResponse(rig.sockets.last.query).additionals?.length ?? 0) > 0;
  const first = rig.ask();
  assert.equal(hasOpt(), true);
  rig.sockets.last.answer({ rcode: 1 });
  assert.equal(hasOpt(), false);
  rig.sockets.last.answer(found);
  assert.equal((await first).rcode, "NOERROR");
  void rig.raw(queryFor("b.example.org"));
  assert.equal(hasOpt(), false);
  rig.forwarder.close();
  const dropping = new ForwardRig([a]);
  const reply = dropping.ask();
  dropping.timers.advance(1500);
  assert.equal(decodeResponse(dropping.sockets.last.query).additionals?.length, 0);
  dropping.sockets.last.answer(found);
  await reply;
  void dropping.raw(queryFor("b.example.org"));
  assert.equal(decodeResponse(dropping.sockets.last.query).additionals?.length, 0);
  dropping.forwarder.close();
});

test("new servers are asked from the next question on, and the old ones still answer", async () => {
  const rig = new ForwardRig([a]);
  const before = rig.ask();
  rig.forwarder.set(sandbox, { servers: servers("10.0.0.9") });
  const after = rig.ask();
  assert.deepEqual(rig.sockets.log, [`${a} udp`, "10.0.0.9 udp"]);
  rig.sockets.sent[0]?.answer(found);
  rig.sockets.sent[1]?.answer({ answers: aRecords("www.example.org", 60, "192.0.2.9") });
  assert.deepEqual([dataOf(await before), dataOf(await after)], [["192.0.2.1"], ["192.0.2.9"]]);
  assert.deepEqual(dataOf(await rig.ask()), ["192.0.2.9"], "the old servers' answer is not given");
  assert.deepEqual(
    rig.forwarder.stats().upstreams.map(({ address }) => address),
    ["10.0.0.9"],
  );
  rig.forwarder.set(sandbox, { servers: [] });
  assert.equal(rig.forwarder.upstreamsOf(sandbox), undefined);
  assert.deepEqual(rig.forwarder.stats().upstreams, []);
});

test("a sandbox that goes takes along what only it waits for", async () => {
  const rig = new ForwardRig([a]);
  rig.forwarder.set(neighbour, { servers: servers(a) });
  const alone = rig.raw(queryFor("alone.example.org"));
  const mine = rig.raw(query);
  const theirs = rig.ask(query, "udp", neighbour);
  assert.equal(rig.sockets.open, 2);
  rig.forwarder.remove(sandbox);
  assert.deepEqual(await Promise.all([alone, mine]), [undefined, undefined]);
  assert.equal(rig.sockets.open, 1);
  rig.sockets.last.answer(found);
  assert.equal((await theirs).rcode, "NOERROR");
  const last = rig.raw(queryFor("last.example.org"), "udp", neighbour);
  rig.forwarder.close();
  assert.equal(await last, undefined);
  assert.deepEqual([rig.sockets.open, rig.timers.running, rig.forwarder.stats().lookups], [0, 0, 0]);
  assert.equal(rig.forwarder.upstreamsOf(neighbour), undefined);
});

test("a sandbox that floods is refused at once, and the others are served", async () => {
  const rig = new ForwardRig([a], { lookups: 64, waiting: 1000, sockets: 500 });
  rig.forwarder.set(neighbour, { servers: servers(a) });
  const flood = Array.from({ length: 100 }, (_, i) => rig.ask(queryFor(`n${i}.example.org`)));
  assert.equal(rig.sockets.open, 32);
  assert.equal(rig.counters.limited, 68);
  const served = rig.ask(query, "udp", neighbour);
  rig.sockets.last.answer(found);
  assert.equal((await served).rcode, "NOERROR");
  for (const sent of rig.sockets.sent) sent.answer({ rcode: 3 });
  const codes = (await Promise.all(flood)).map(({ rcode }) => rcode);
  assert.deepEqual([codes.filter((code) => code === "SERVFAIL").length, codes.length], [68, 100]);
  const later = rig.ask(queryFor("later.example.org"));
  rig.sockets.last.answer(found);
  assert.equal((await later).rcode, "NOERROR");
});

test("that an alias leads to nothing of the type is kept for five minutes, that it leads to something for an hour", async () => {
  const day = 86_400;
  const cname: Answer = {
    type: "CNAME",
    name: "www.example.org",
    ttl: day,
    class: "IN",
    data: "v4.example.org",
  };
  const table: readonly (readonly [parts: ResponseParts, seconds: number])[] = [
    [{ answers: [cname], authorities: [soaRecord("example.org", day, day)] }, 300],
    [{ answers: [cname, ...aRecords("v4.example.org", day, "192.0.2.1")] }, 3600],
  ];
  for (const [parts, seconds] of table) {
    const rig = new ForwardRig([a]);
    const reply = rig.ask();
    rig.sockets.last.answer(parts);
    await reply;
    rig.timers.advance(seconds * 1000 - 1);
    await rig.ask();
    assert.equal(rig.sockets.sent.length, 1);
    rig.timers.advance(1);
    void rig.raw(query);
    assert.equal(rig.sockets.sent.length, 2, `${seconds} s`);
  }
});

test("those who wait for one lookup are bounded too", async () => {
  const rig = new ForwardRig([a], { waiting: 20 });
  const replies = Array.from({ length: 30 }, () => rig.ask());
  rig.sockets.last.answer(found);
  const codes = (await Promise.all(replies)).map(({ rcode }) => rcode);
  assert.equal(codes.filter((code) => code === "NOERROR").length, 10);
  assert.equal(rig.counters.limited, 20);
});

test("a server that answers nothing cannot take every socket", async () => {
  const rig = new ForwardRig([a], { sockets: 24 });
  rig.forwarder.set(neighbour, { servers: servers("10.0.0.2") });
  for (let i = 0; i < 30; i++) void rig.raw(queryFor(`n${i}.example.org`));
  assert.equal(rig.sockets.open, 8);
  const reply = rig.ask(query, "udp", neighbour);
  rig.sockets.last.answer(found);
  assert.equal((await reply).rcode, "NOERROR");
  rig.forwarder.close();
  assert.equal(rig.sockets.open, 0);
});

test("one who asks for names that make a server silent leaves room for others who ask it", async () => {
  const rig = new ForwardRig([a], { sockets: 24 });
  rig.forwarder.set(neighbour, { servers: servers(a) });
  for (let i = 0; i < 30; i++) void rig.raw(queryFor(`n${i}.example.org`));
  rig.timers.advance(1500); // it is asked again what it was silent to, as far as there is room
  assert.equal(rig.sockets.open, 8);
  const reply = rig.ask(query, "udp", neighbour);
  rig.sockets.last.answer(found);
  assert.equal((await reply).rcode, "NOERROR");
  rig.forwarder.close();
});

test("one who asks for a great many names does not push out what others keep", async () => {
  const rig = new ForwardRig([a], { cache: { entries: 50, bytes: 1 << 20 } });
  rig.forwarder.set(neighbour, { servers: servers(a) });
  const first = rig.ask(query, "udp", neighbour);
  rig.sockets.last.answer(found);
  await first;
  for (let i = 0; i < 200; i++) {
    const reply = rig.ask(queryFor(`n${i}.example.org`));
    rig.sockets.last.answer({ answers: aRecords(`n${i}.example.org`, 60, "192.0.2.1") });
    await reply;
  }
  assert.equal(rig.forwarder.stats().cacheEntries, 50);
  const before = rig.sockets.sent.length;
  assert.deepEqual(dataOf(await rig.ask(query, "udp", neighbour)), ["192.0.2.1"]);
  assert.equal(rig.sockets.sent.length, before);
});

test("a server that sends rubbish without end over TCP is not listened to for long", async () => {
  const rig = new ForwardRig([a]);
  const reply = rig.ask();
  rig.sockets.last.answer({ flags: 0x0200 });
  const tcp = rig.sockets.last;
  assert.equal(tcp.transport, "tcp");
  for (let i = 0; i < 15; i++) tcp.deliver(new Uint8Array(0));
  assert.equal(rig.sockets.open, 1);
  tcp.deliver(new Uint8Array(0));
  assert.deepEqual([(await reply).flag_tc, rig.sockets.open, rig.timers.running], [true, 0, 0]);
});

test("transfers and transactions are not forwarded", async () => {
  const rig = new ForwardRig([a]);
  for (const type of ["AXFR", "IXFR", "TKEY", "TSIG"] as const) {
    assert.equal((await rig.ask(queryFor("example.org", type))).rcode, "REFUSED", type);
  }
  assert.equal(rig.sockets.sent.length, 0);
});

test("bare names are kept back only if the user set ndots", () => {
  const rig = new ForwardRig([a]);
  for (const [ndots, keeps] of [
    [undefined, false],
    [0, false],
    [1, true],
    [5, true],
  ] as const) {
    rig.forwarder.set(sandbox, { servers: servers(a), ...(ndots === undefined ? {} : { ndots }) });
    assert.equal(rig.forwarder.upstreamsOf(sandbox)?.keepsBareNames, keeps);
  }
});
