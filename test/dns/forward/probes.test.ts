import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeResponse, idOf, queryFor } from "../samples.ts";
import { ForwardRig } from "./forward-rig.ts";
import { type SentQuery, servers } from "./manual-sockets.ts";
import { aRecords, asking, soaRecord } from "./upstream-samples.ts";

const found = { answers: aRecords("www.example.org", 60, "192.0.2.1") };
const nothing = { rcode: 3, authorities: [soaRecord("example.org", 60, 60)] };
const [a, b, c] = ["10.0.0.1", "10.0.0.2", "fd00::3"];
const neighbour = idOf(102);

/** The root's name servers: what probes ask for. */
const root = "00 0002 0001".replaceAll(" ", "");

function questionOf({ query }: SentQuery): string {
  return Buffer.from(asking(query).question.bytes).toString("hex");
}

/** Probes that are under way. */
function probes(rig: ForwardRig): readonly SentQuery[] {
  return rig.sockets.sent.filter((sent) => !sent.closed && questionOf(sent) === root);
}

let lastName = 0;

/** Asks three new names at a time to which the first server is silent, and the second is not. */
async function outrun(rig: ForwardRig): Promise<void> {
  const replies = [1, 2, 3].map(() => rig.ask(queryFor(`n${++lastName}.example.net`)));
  rig.timers.advance(400);
  for (const sent of [...rig.sockets.sent]) if (sent.server === b) sent.answer(found);
  await Promise.all(replies);
}

/** A rig whose first server answers nothing at all, and is known to be down. */
async function withFirstDown(...addresses: readonly string[]): Promise<ForwardRig> {
  const rig = new ForwardRig(addresses);
  await outrun(rig);
  rig.timers.advance(1500);
  assert.deepEqual([rig.forwarder.stats().upstreams[0]?.state, rig.counters.serversDown], ["down", 1]);
  assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
  return rig;
}

test("names that nobody can find out do not take a server down: its word counts before the next one's", async () => {
  for (const speaks of [found, { rcode: 5 }, { rcode: 2 }]) {
    const rig = new ForwardRig([a, b]);
    rig.forwarder.set(neighbour, { servers: servers(a, b) });
    for (let i = 0; i < 5; i++) {
      await outrun(rig);
      const [probe] = probes(rig);
      assert.deepEqual([probe?.server, probes(rig).length], [a, 1]);
      probe?.answer(speaks);
      assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
    }
    const reply = rig.ask(queryFor("intranet.company.test"), "udp", neighbour);
    assert.equal(rig.sockets.last.server, a);
    rig.timers.advance(400);
    assert.equal(rig.sockets.last.server, b);
    rig.sockets.last.answer(nothing);
    rig.timers.advance(1000);
    assert.equal(rig.forwarder.stats().upstreams[0]?.state, "up");
    rig.sockets.sent.at(-2)?.answer(found);
    assert.equal((await reply).rcode, "NOERROR");
    assert.equal(rig.counters.serversDown, 0);
  }
});

test("while a server is doubted it is asked first, and the next one's word waits for it", async () => {
  const rig = new ForwardRig([a, b]);
  await outrun(rig);
  const reply = rig.ask();
  const first = rig.sockets.last;
  assert.equal(first.server, a);
  rig.timers.advance(400);
  rig.sockets.last.answer(nothing);
  first.answer(found);
  assert.equal((await reply).rcode, "NOERROR");
  rig.timers.advance(1500);
  assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
  assert.equal(rig.forwarder.stats().upstreams[0]?.state, "up", "it has answered since the probe began");
});

test("a server without room for one sandbox's question is not taken for one that knows nothing", async () => {
  const rig = new ForwardRig([a, b], { sockets: 24 });
  for (let i = 0; i < 8; i++) void rig.raw(queryFor(`n${i}.example.net`));
  const reply = rig.ask(queryFor("intranet.company.test"));
  assert.equal(rig.sockets.last.server, b);
  rig.sockets.last.answer(nothing);
  assert.equal((await reply).rcode, "SERVFAIL");
  assert.equal(rig.forwarder.stats().cacheEntries, 0);
  rig.forwarder.close();
});

test("a silent server is asked last, and delays nobody", async () => {
  const rig = await withFirstDown(a, b);
  const reply = rig.ask();
  assert.equal(rig.sockets.last.server, b);
  rig.sockets.last.answer(nothing);
  assert.equal((await reply).rcode, "NXDOMAIN", "at once");
});

test("a server that cannot be reached is down as soon as it is doubted", async () => {
  const rig = new ForwardRig([a, b]);
  for (let i = 0; i < 3; i++) {
    const reply = rig.ask(queryFor(`n${i}.example.net`));
    rig.sockets.last.fail();
    rig.sockets.last.answer(found);
    await reply;
  }
  probes(rig)[0]?.fail();
  assert.equal(rig.forwarder.stats().upstreams[0]?.state, "down");
  assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
});

test("a server that is down is tried beside the others, and comes back", async () => {
  for (const question of ["the root's", "the client's"]) {
    const rig = await withFirstDown(a, b);
    rig.timers.advance(1000);
    const probing = rig.ask(queryFor("probe.example.org"));
    rig.sockets.last.answer(found);
    await probing;
    const open = rig.sockets.sent.filter(({ closed }) => !closed);
    assert.deepEqual([open.length, probes(rig).length], [2, 1], "the probe goes on");
    open.find((sent) => (questionOf(sent) === root) === (question === "the root's"))?.answer(found);
    assert.equal(rig.forwarder.stats().upstreams[0]?.state, "up", question);
    assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
    void rig.raw(queryFor("back.org"));
    assert.equal(rig.sockets.last.server, a);
    rig.forwarder.close();
  }
});

test("a probe that hears nothing asks twice, and ends by itself", async () => {
  const rig = await withFirstDown(a, b);
  rig.timers.advance(1000);
  const probing = rig.ask(queryFor("probe.example.org"));
  rig.sockets.last.answer(found);
  await probing;
  rig.timers.advance(750);
  assert.equal(probes(rig).length, 2);
  rig.timers.advance(750);
  assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
  assert.equal(rig.forwarder.stats().upstreams[0]?.state, "down");
  const before = rig.sockets.sent.length;
  rig.timers.advance(1999);
  const resting = rig.ask(queryFor("rest.example.org"));
  assert.deepEqual(rig.sockets.log.slice(before), [`${b} udp`]);
  rig.sockets.last.answer(found);
  await resting;
});

test("what is asked beside a probe says nothing against the server", async () => {
  const rig = await withFirstDown(a, b);
  rig.timers.advance(1000);
  const probing = rig.ask(queryFor("tarpit.example.net"));
  rig.sockets.last.answer(found);
  await probing;
  const beside = rig.sockets.sent.find((sent) => !sent.closed && questionOf(sent) !== root);
  assert.equal(beside?.server, a);
  beside?.fail();
  assert.equal(probes(rig).length, 1, "the probe goes on");
  probes(rig)[0]?.answer({ rcode: 5 });
  assert.equal(rig.forwarder.stats().upstreams[0]?.state, "up");
  assert.deepEqual([rig.sockets.open, rig.timers.running], [0, 0]);
});

test("servers that are all down are asked all the same, close behind each other", async () => {
  const rig = new ForwardRig([a, b, c]);
  for (let i = 0; i < 3; i++) {
    const reply = rig.ask(queryFor(`n${i}.example.org`));
    rig.timers.advance(4500);
    await reply;
  }
  rig.timers.advance(1500);
  assert.deepEqual(
    rig.forwarder.stats().upstreams.map(({ state }) => state),
    ["down", "down", "down"],
  );
  const before = rig.sockets.sent.length;
  const reply = rig.raw(queryFor("back.example.org"));
  rig.timers.advance(100);
  assert.deepEqual(rig.sockets.log.slice(before), [`${a} udp`, `${b} udp`, `${c} udp`]);
  rig.sockets.last.answer(found);
  assert.equal(decodeResponse(await reply).rcode, "NOERROR");
});
