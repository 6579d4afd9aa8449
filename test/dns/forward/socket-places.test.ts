import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ServerPlaces, SocketPlaces } from "../../../src/dns/forward/socket-places.ts";

/** Takes places at `server` until there are none; gives their number. */
function takeAll(places: ServerPlaces<string>, server: string): number {
  let taken = 0;
  while (places.take(server)) taken++;
  return taken;
}

test("one user at one server gets a third, and leaves room for other users and other servers", () => {
  const places = new SocketPlaces<string, string>(99);
  assert.equal(takeAll(places.of("red"), "slow"), 33);
  assert.equal(takeAll(places.of("blue"), "slow"), 11);
  assert.equal(takeAll(places.of("green"), "well"), 19);
  assert.equal(takeAll(places.of("red"), "well"), 6);
});

test("there is always a place for someone new, at whatever server, and the count is right", () => {
  const server = fc.constantFrom("x", "y", "z");
  const step = fc.record({ user: fc.constantFrom("a", "b", "c"), server, take: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 99 }), fc.array(step, { maxLength: 400 }), (total, steps) => {
      const places = new SocketPlaces<string, string>(total);
      const held: string[] = [];
      for (const { user, server, take } of steps) {
        const key = `${user} ${server}`;
        if (take) {
          if (places.of(user).take(server)) held.push(key);
        } else {
          places.of(user).give(server); // of no effect where there is none
          if (held.includes(key)) held.splice(held.indexOf(key), 1);
        }
        assert.equal(places.taken, held.length);
      }
      for (const server of ["x", "new"]) {
        assert.equal(places.of("new").take(server), true);
        places.of("new").give(server);
      }
    }),
  );
});
