import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Framer } from "../../src/dns/framing.ts";

function framed(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]);
}

function drain(framer: Framer): readonly string[] {
  const messages: string[] = [];
  for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
    assert.equal(frame.kind, "message");
    if (frame.kind === "message") messages.push(Buffer.from(frame.message).toString("hex"));
  }
  return messages;
}

test("messages come out whole and in order however the stream is cut and when it is asked", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(messages, fc.array(fc.nat(400)), fc.array(fc.boolean()), (sent, cuts, asks) => {
      const stream = Buffer.concat(sent.map(framed));
      const framer = new Framer(300);
      const got: string[] = [];
      let at = 0;
      for (const [i, cut] of [...cuts, stream.length].entries()) {
        framer.push(stream.subarray(at, at + cut));
        at = Math.min(stream.length, at + cut);
        if (asks[i] !== false) got.push(...drain(framer));
      }
      got.push(...drain(framer));
      assert.deepEqual(
        got,
        sent.map((message) => Buffer.from(message).toString("hex")),
      );
    }),
  );
});

test("a length beyond the limit is told at once, also when it comes in two parts", () => {
  const whole = new Framer(16);
  whole.push(Buffer.of(0, 17));
  assert.deepEqual(whole.next(), { kind: "too-long", length: 17 });
  const split = new Framer(16);
  split.push(Buffer.of(0xff));
  assert.equal(split.next(), undefined);
  split.push(Buffer.of(0xff, 1, 2, 3));
  assert.deepEqual(split.next(), { kind: "too-long", length: 0xffff });
});

test("an empty message is a message", () => {
  const framer = new Framer(16);
  framer.push(Buffer.of(0, 0, 0, 1, 7));
  assert.deepEqual(drain(framer), ["", "07"]);
});
