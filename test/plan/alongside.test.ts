import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryKernel } from "../../src/kernel/index.ts";
import {
  type HeldHandler,
  type HeldObject,
  heldRanks,
  Reconciler,
  StoreJournal,
} from "../../src/plan/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { element, fileFolder, held, netnsFolder, table, wanted } from "./objects.ts";
import { gate, refusal } from "./reconciler-fixture.ts";

/** Holds its object once `held` resolves, and refuses when that rejects. */
class SlowThings implements HeldHandler {
  readonly alongside = true;
  readonly type: string;
  readonly rank: number;
  readonly #log: string[];
  readonly #held: Promise<void>;

  constructor(log: string[], held: Promise<void>, type = "slow", rank: number = heldRanks.listener) {
    this.#log = log;
    this.#held = held;
    this.type = type;
    this.rank = rank;
  }

  async acquire({ id }: HeldObject): Promise<void> {
    this.#log.push(`begin ${id}`);
    await this.#held;
    this.#log.push(`acquire ${id}`);
  }

  async release({ id }: HeldObject): Promise<void> {
    this.#log.push(`release ${id}`);
  }
}

/** A reconciler whose work stands in `log`, in order; `held` is given what resolves when the element is written. */
function slowWorld(held: (written: Promise<void>) => Promise<void>) {
  const log: string[] = [];
  const kernel = new MemoryKernel();
  const written = gate();
  const slow = new SlowThings(log, held(written.opened));
  const names = new SlowThings(log, Promise.resolve(), "name", heldRanks.name);
  const journal = new StoreJournal(new MemoryStore());
  const reconciler = new Reconciler({ kernel, journal, held: [slow, names], netnsFolder, fileFolder });
  kernel.onOperation = ({ op, object }) => {
    log.push(`${op} ${object.kind}`);
    if (object.kind === "nft-element") written.open();
    return undefined;
  };
  return { log, kernel, reconciler, written: written.opened };
}

const plan = new Map([
  ["box", wanted(held("ports", { type: "slow" }), table(), element("one"), held("name", { type: "name" }))],
]);

test("rules are written while somebody takes over what is held, and names wait for both", async () => {
  const taken = gate();
  const { log, reconciler, written } = slowWorld(() => taken.opened);
  const change = reconciler.change(plan);
  await written;
  assert.deepEqual(log, ["begin ports", "create nft-table", "create nft-element"]);
  taken.open();
  await change;
  assert.deepEqual(log.slice(3), ["acquire ports", "begin name", "acquire name"]);
});

test("of one rank all are begun at once, and none of another before they are held", async () => {
  const taken = gate();
  const { log, reconciler } = slowWorld(() => taken.opened);
  const things = [held("a", { type: "slow" }), held("b", { type: "slow" }), held("n", { type: "name" })];
  const change = reconciler.change(new Map([["box", wanted(...things, held("m", { type: "name" }))]]));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(log, ["begin a", "begin b"]);
  taken.open();
  await change;
  const rest = ["acquire a", "acquire b", "begin n", "begin m", "acquire n", "acquire m"];
  assert.deepEqual(log.slice(2), rest);
});

test("what cannot be taken hold of at once leaves the rules alone", async () => {
  const { log, reconciler } = slowWorld(() => Promise.reject(new Error("taken")));
  await assert.rejects(reconciler.change(plan), /taken/);
  assert.deepEqual(log, ["begin ports"]);
});

test("what fails while the rules are written takes them back", async () => {
  const { log, kernel, reconciler } = slowWorld(async (written) => {
    await written;
    throw new Error("no thread");
  });
  await assert.rejects(reconciler.change(plan), /no thread/);
  assert.deepEqual(kernel.all(), []);
  assert.deepEqual(log, [
    "begin ports",
    "create nft-table",
    "create nft-element",
    "delete nft-table", // its element goes along
  ]);
});

test("what was taken hold of is given back when the rules are refused", async () => {
  const refused = gate();
  const { log, kernel, reconciler } = slowWorld(() => refused.opened);
  const error = refusal();
  kernel.onOperation = ({ op, object }) => {
    if (op !== "create" || object.kind !== "nft-element") return undefined;
    refused.open();
    return error;
  };
  await assert.rejects(reconciler.change(plan), error);
  assert.deepEqual(log, ["begin ports", "acquire ports", "release ports"]);
  assert.deepEqual(kernel.all(), []);
});
