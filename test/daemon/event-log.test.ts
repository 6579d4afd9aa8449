import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Event, Filters } from "../../src/api/index.ts";
import { EventLog, newRun } from "../../src/daemon/event-log.ts";
import { TestClock } from "../cnm/deterministic.ts";

const network = (Name: string, Action = "create") =>
  ({ Type: "network", Action, Actor: { Id: `id-${Name}`, Name } }) as const;

/** The names of the next `count` events. */
async function take(events: AsyncIterable<Event>, count: number): Promise<readonly string[]> {
  const names: string[] = [];
  if (count === 0) return names;
  for await (const { Actor } of events) if (names.push(Actor.Name) === count) break;
  return names;
}

async function allOf(events: AsyncIterable<Event>): Promise<readonly Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const now = (clock: TestClock) => new Date(clock.now()).toISOString();
const forever = () => new AbortController().signal;
const query = (facts: { since?: string; until?: string; filters?: Filters; signal?: AbortSignal } = {}) => ({
  filters: {},
  signal: forever(),
  ...facts,
});

suite("the events of a daemon", () => {
  const opened = () => {
    const clock = new TestClock();
    return { clock, log: new EventLog(clock, "abc123") };
  };

  test("who follows without a place hears of new ones only", async () => {
    const { log } = opened();
    log.add(network("old"));
    const events = log.follow(query());
    const names = take(events, 2);
    log.add(network("a"));
    log.add(network("b"));
    assert.deepEqual(await names, ["a", "b"]);
  });

  test("who resumes after an event's id misses none and hears none twice", async () => {
    const { log, clock } = opened();
    for (const name of ["a", "b", "c"]) log.add(network(name));
    const [first] = await allOf(log.follow(query({ since: "0", until: now(clock) })));
    assert.equal(first?.Id, "abc123.1");
    assert.deepEqual(await take(log.follow(query({ since: first.Id })), 2), ["b", "c"]);
  });

  test("an id of another daemon's leads to all of this one's", async () => {
    const { log } = opened();
    log.add(network("a"));
    assert.deepEqual(await take(log.follow(query({ since: "ffff00.17" })), 1), ["a"]);
  });

  test("no id can be taken for a time", async () => {
    const draws = [0x11, 0x99, 0xa9];
    const run = newRun({ bytes: (length) => new Uint8Array(length).fill(draws.shift() ?? 0) });
    assert.equal(run, "a9a9a9a9a9a9");
    const log = new EventLog(new TestClock(), run);
    for (const name of ["a", "b"]) log.add(network(name));
    assert.deepEqual(await take(log.follow(query({ since: `${run}.1` })), 1), ["b"]);
  });

  test("a time leads to what came after it", async () => {
    const { log, clock } = opened();
    log.add(network("a"));
    const between = new Date(clock.now()).toISOString();
    log.add(network("b"));
    assert.deepEqual(await take(log.follow(query({ since: between })), 1), ["b"]);
  });

  test("it ends at its time, also when nothing comes", async () => {
    const { log, clock } = opened();
    log.add(network("a"));
    const until = new Date(clock.now() + 50).toISOString();
    const all = allOf(log.follow(query({ since: "0", until })));
    await new Promise(setImmediate);
    for (let i = 0; i < 50; i++) clock.now();
    clock.wakeAll();
    assert.equal((await all).length, 1);
  });

  test("it ends when its reader goes", async () => {
    const { log } = opened();
    const reader = new AbortController();
    const all = allOf(log.follow(query({ signal: reader.signal })));
    await new Promise(setImmediate);
    reader.abort();
    assert.deepEqual(await all, []);
  });

  test("filters choose by type, action and actor", async () => {
    const { log, clock } = opened();
    log.add(network("a"));
    log.add(network("a", "destroy"));
    log.add(network("b", "destroy"));
    const named = async (filters: Filters) => {
      const events = await allOf(log.follow(query({ since: "0", filters, until: now(clock) })));
      return events.map(({ Actor, Action }) => `${Actor.Name} ${Action}`);
    };
    assert.deepEqual(await named({ event: ["destroy"], network: ["a"] }), ["a destroy"]);
    assert.deepEqual(await named({ network: ["id-b"] }), ["b destroy"]);
    assert.deepEqual(await named({ type: ["sandbox"] }), []);
    assert.throws(() => log.follow(query({ filters: { colour: ["red"] } })), { code: "INVALID_OPTION" });
  });

  test("old ones are forgotten; a reader that was cut off is told where some are lost", async () => {
    const { log } = opened();
    for (let i = 0; i < 40_000; i++) log.add(network(String(i)));
    const [first] = await take(log.follow(query({ since: "0" })), 1);
    assert.ok(Number(first) >= 20_000);
    assert.throws(() => log.follow(query({ since: "abc123.1" })), { code: "EVENTS_LOST" });
  });
});
