import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isWeftError } from "../../../src/core/index.ts";
import { Keyring, type SealVersion, sealOverhead } from "../../../src/gossip/wire/index.ts";

const key = (length: number, fill: number) => Buffer.alloc(length, fill);
const none = Buffer.alloc(0);
const refused = (error: unknown) => isWeftError(error, "GOSSIP_KEY");

test("what one key of any size seals, every keyring that has it opens, bound to the same bytes", () => {
  const sizes = fc.constantFrom(16, 24, 32);
  const version = fc.constantFrom<SealVersion>(0, 1);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2000 }),
      fc.uint8Array({ maxLength: 40 }),
      sizes,
      version,
      (plain, bound, size, v) => {
        const sender = new Keyring([key(size, 1)]);
        const receiver = new Keyring([key(32, 9), key(16, 8), key(size, 1)]);
        const sealed = sender.seal(plain, bound, v, none);
        assert.ok(sealed.length - plain.length <= sealOverhead(v));
        assert.deepEqual(receiver.open(sealed, bound), Buffer.from(plain));
        assert.equal(receiver.open(sealed, Buffer.concat([bound, Buffer.of(1)])), undefined);
      },
    ),
  );
});

test("a change of any byte is noticed, and so is a key that is not there", () => {
  const ring = new Keyring([key(16, 1)]);
  const sealed = ring.seal(Buffer.from("hello"), none, 1, none);
  for (let at = 1; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(ring.open(changed, none), undefined, `byte ${at}`);
  }
  assert.equal(new Keyring([key(16, 2)]).open(sealed, none), undefined);
  for (let end = 0; end < sealed.length; end++)
    assert.equal(ring.open(sealed.subarray(0, end), none), undefined);
});

test("the version of a seal cannot be changed on the way, but where the message looks padded", () => {
  const ring = new Keyring([key(16, 1)]);
  const asVersion0 = (plain: string) => {
    const sealed = ring.seal(Buffer.from(plain, "latin1"), none, 1, none);
    sealed[0] = 0;
    return ring.open(sealed, none)?.toString("latin1");
  };
  assert.equal(asVersion0("fourteen bytes"), undefined);
  assert.equal(asVersion0("fourteen bytes\x02\x01"), "fourteen bytes\x02"); // the protocol has no help against that
  assert.equal(asVersion0("fourteen bytes\x03\x03"), undefined);
  assert.equal(asVersion0("fifteen bytes..\x00"), undefined);
  assert.equal(asVersion0("\x11".repeat(16)), undefined);
});

test("a key is installed, used and removed; the primary one stays, and an unknown one cannot be used", () => {
  const ring = new Keyring([key(16, 1)]);
  ring.install(key(16, 2));
  ring.install(key(16, 2));
  assert.deepEqual(ring.keys.length, 2);
  assert.throws(() => ring.use(key(16, 3)), refused);
  assert.throws(() => ring.remove(key(16, 1)), refused);
  ring.use(key(16, 2));
  assert.deepEqual(Buffer.from(ring.primary), key(16, 2));
  const sealedBefore = new Keyring([key(16, 1)]).seal(Buffer.from("late"), none, 1, none);
  assert.equal(ring.open(sealedBefore, none)?.toString(), "late"); // no message is lost meanwhile
  ring.remove(key(16, 1));
  ring.remove(key(16, 1));
  assert.equal(ring.open(sealedBefore, none), undefined);
});

test("a key of another length, or none, is refused", () => {
  for (const length of [0, 15, 17, 33]) assert.throws(() => new Keyring([key(length, 1)]), refused);
  assert.throws(() => new Keyring([]), refused);
});

test("no nonce is given twice", () => {
  const ring = new Keyring([key(16, 1)]);
  const nonces = new Set<string>();
  for (let i = 0; i < 1000; i++) nonces.add(ring.seal(none, none, 1, none).subarray(1, 13).toString("hex"));
  assert.equal(nonces.size, 1000);
});
