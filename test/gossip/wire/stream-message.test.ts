import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Envelope,
  encodePing,
  encodePushPull,
  encodeStreamUserMessage,
  Keyring,
  labelOf,
  noSource,
  type StreamProgress,
  StreamReader,
  wrapStreamMessage,
} from "../../../src/gossip/wire/index.ts";

const ring = new Keyring([Buffer.alloc(16, 1)]);
const plain: Envelope = {
  label: labelOf(""),
  skipInboundLabelCheck: false,
  keyring: undefined,
  verifyIncoming: true,
  verifyOutgoing: true,
  compress: false,
  sealVersion: 1,
};
const envelopes = fc.record({
  label: fc.constantFrom(labelOf(""), labelOf("lab")),
  skipInboundLabelCheck: fc.constant(false),
  keyring: fc.constantFrom(undefined, ring),
  verifyIncoming: fc.boolean(),
  verifyOutgoing: fc.constant(true),
  compress: fc.boolean(),
  sealVersion: fc.constantFrom<0 | 1>(0, 1),
});

function feed(envelope: Envelope, bytes: Buffer, cuts: readonly number[]): StreamProgress {
  const reader = new StreamReader(envelope, true);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (at === bytes.length) break;
    const progress = reader.push(bytes.subarray(at, at + cut));
    at = Math.min(bytes.length, at + cut);
    if (progress.kind !== "more") return progress;
  }
  return { kind: "more" };
}

const nodes = fc.array(
  fc.record({
    incarnation: fc.nat(0xffffffff),
    node: fc.string({ maxLength: 60 }),
    address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    port: fc.nat(65_535),
    meta: fc.uint8Array({ maxLength: 512 }),
    versions: fc.constant(Uint8Array.of(1, 5, 2, 0, 0, 0)),
    state: fc.nat(3),
  }),
  { maxLength: 20 },
);

test("a push/pull comes out whole however the stream was cut and wrapped", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 60 });
  fc.assert(
    fc.property(
      envelopes,
      nodes,
      fc.uint8Array({ maxLength: 3000 }),
      fc.boolean(),
      cuts,
      (envelope, list, userState, join, at) => {
        const sent = wrapStreamMessage(envelope, encodePushPull({ join, nodes: list, userState }), true);
        const got = feed(envelope, sent, at);
        assert.ok(got.kind === "message" && got.message.kind === "pushPull", JSON.stringify(got));
        const { pushPull } = got.message;
        assert.equal(pushPull.join, join);
        assert.deepEqual(Uint8Array.from(pushPull.userState), userState);
        const found = pushPull.nodes.map((one) => ({ ...one, address: Uint8Array.from(one.address) }));
        assert.deepEqual(
          found.map(({ node, state, incarnation, port, address }) => ({
            node,
            state,
            incarnation,
            port,
            address,
          })),
          list.map(({ node, state, incarnation, port, address }) => ({
            node,
            state,
            incarnation,
            port,
            address,
          })),
        );
      },
    ),
  );
});

test("user messages and pings come out byte by byte too", () => {
  const bytewise = new Array<number>(200).fill(1);
  const user = feed(plain, encodeStreamUserMessage(Buffer.from("hello")), bytewise);
  assert.ok(user.kind === "message" && user.message.kind === "user");
  assert.equal(Buffer.from(user.message.message).toString(), "hello");
  const ping = feed(plain, encodePing({ seqNo: 7, node: "n1", source: noSource }), bytewise);
  assert.ok(ping.kind === "message" && ping.message.kind === "ping" && ping.message.ping.seqNo === 7);
});

test("what is plain, foreign, labelled otherwise or absurdly long is refused", () => {
  const secure = { ...plain, keyring: ring };
  const user = encodeStreamUserMessage(Buffer.from("hello"));
  const why = (envelope: Envelope, bytes: Buffer) => {
    const got = feed(envelope, bytes, []);
    return got.kind === "refused" ? got.why : got.kind;
  };
  assert.equal(why(secure, user), "undecryptable");
  const foreign = { ...plain, keyring: new Keyring([Buffer.alloc(16, 2)]) };
  assert.equal(why(secure, wrapStreamMessage(foreign, user, true)), "undecryptable");
  assert.equal(why(plain, wrapStreamMessage(secure, user, true)), "undecryptable");
  assert.equal(why({ ...plain, label: labelOf("lab") }, user), "label");
  assert.equal(why(secure, Buffer.of(10, 0xff, 0xff, 0xff, 0xff)), "malformed");
  assert.equal(why(plain, Buffer.from("0681a54e6f646573ce7fffffff", "hex")), "malformed");
  assert.equal(why(plain, Buffer.of(77, 1)), "malformed");
});

test("a decompression bomb and one in another are refused", () => {
  const zeros = Buffer.alloc(41 << 20);
  const bomb = wrapStreamMessage({ ...plain, compress: true }, zeros, false);
  assert.ok(bomb.length < 1 << 20);
  assert.equal(feed(plain, bomb, []).kind, "refused");
  const twice = wrapStreamMessage(
    { ...plain, compress: true },
    wrapStreamMessage({ ...plain, compress: true }, Buffer.from("x"), false),
    false,
  );
  assert.equal(feed(plain, twice, []).kind, "refused");
});
