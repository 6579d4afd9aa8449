import assert from "node:assert/strict";
import { test } from "node:test";
import { Events } from "../../src/core/index.ts";

test("listeners hear events in the order in which they came, until they are taken back", () => {
  const events = new Events<number>();
  const heard: string[] = [];
  const stop = events.subscribe((event) => heard.push(`a${event}`));
  events.subscribe((event) => heard.push(`b${event}`));
  events.emit(1);
  stop();
  stop();
  events.emit(2);
  assert.deepEqual(heard, ["a1", "b1", "b2"]);
});

test("one function subscribed twice is two subscriptions", () => {
  const events = new Events<number>();
  let count = 0;
  const listener = () => count++;
  const stop = events.subscribe(listener);
  events.subscribe(listener);
  events.emit(0);
  stop();
  events.emit(0);
  assert.equal(count, 3);
});

test("a listener that throws keeps none of the others from hearing", () => {
  const errors: unknown[] = [];
  const events = new Events<string>((error) => errors.push(error));
  const heard: string[] = [];
  events.subscribe(() => {
    throw new Error("deaf");
  });
  events.subscribe((event) => heard.push(event));
  events.emit("now");
  assert.deepEqual(heard, ["now"]);
  assert.equal(errors.length, 1);
});
