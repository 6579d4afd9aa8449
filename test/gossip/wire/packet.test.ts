import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bodyOf,
  decodeCompound,
  decompress,
  type Envelope,
  encodeCompound,
  Keyring,
  labelOf,
  openPacket,
  PackReader,
  packetRoom,
  wrapPacket,
} from "../../../src/gossip/wire/index.ts";

const plainEnvelope: Envelope = {
  label: labelOf(""),
  skipInboundLabelCheck: false,
  keyring: undefined,
  verifyIncoming: true,
  verifyOutgoing: true,
  compress: false,
  sealVersion: 1,
};
const ring = new Keyring([Buffer.alloc(32, 1)]);
const message = Buffer.from("\x08hello");

/** Every way to wrap. */
const envelopes = fc.record({
  label: fc.constantFrom(labelOf(""), labelOf("lab")),
  skipInboundLabelCheck: fc.constant(false),
  keyring: fc.constantFrom(undefined, ring),
  verifyIncoming: fc.boolean(),
  verifyOutgoing: fc.constant(true),
  compress: fc.boolean(),
  sealVersion: fc.constantFrom<0 | 1>(0, 1),
});

test("a packet holds what was put in, and is no longer than what was counted for it", () => {
  fc.assert(
    fc.property(
      envelopes,
      fc.uint8Array({ minLength: 1, maxLength: 1300 }),
      fc.boolean(),
      (envelope, bytes, crc) => {
        const sent = Buffer.concat([Buffer.of(8), bytes]);
        const packet = wrapPacket(envelope, bodyOf(sent), crc);
        assert.ok(packet.length <= sent.length + 1400 - packetRoom(envelope, 1400) + (crc ? 5 : 0));
        const opened = openPacket(envelope, packet);
        assert.ok(opened.refused === undefined);
        const got =
          opened.message[0] === 9 ? decompress(new PackReader(opened.message, 1), 65_536) : opened.message;
        assert.deepEqual(Buffer.from(got), sent);
      },
    ),
  );
});

test("with encryption on, plain and foreign packets are refused unless incoming ones are not verified yet", () => {
  const secure = { ...plainEnvelope, keyring: ring };
  const foreign = { ...plainEnvelope, keyring: new Keyring([Buffer.alloc(32, 2)]) };
  const plain = wrapPacket(plainEnvelope, bodyOf(message), false);
  assert.deepEqual(openPacket(secure, plain), { refused: "undecryptable" });
  assert.deepEqual(openPacket(secure, wrapPacket(foreign, bodyOf(message), false)), {
    refused: "undecryptable",
  });
  assert.deepEqual(openPacket({ ...secure, verifyIncoming: false }, plain), { message });
  const notYet = { ...secure, verifyOutgoing: false };
  assert.deepEqual(wrapPacket(notYet, bodyOf(message), false), plain);
});

test("a packet of another cluster, or without the label, is refused", () => {
  const lab = { ...plainEnvelope, label: labelOf("lab") };
  assert.deepEqual(openPacket(lab, wrapPacket(plainEnvelope, bodyOf(message), false)), { refused: "label" });
  assert.deepEqual(openPacket(plainEnvelope, wrapPacket(lab, bodyOf(message), false)), { refused: "label" });
  assert.deepEqual(openPacket(lab, Buffer.of(244, 0, 1)), { refused: "label" });
  assert.deepEqual(openPacket(lab, Buffer.of(244, 9, 1)), { refused: "label" });
  const skips = { ...lab, skipInboundLabelCheck: true };
  assert.deepEqual(openPacket(skips, wrapPacket(plainEnvelope, bodyOf(message), false)), { message });
  assert.deepEqual(openPacket(skips, wrapPacket(lab, bodyOf(message), false)), { refused: "label" });
});

test("a packet that changed on its way is noticed by its CRC", () => {
  const packet = wrapPacket(plainEnvelope, bodyOf(message), true);
  packet[7] = (packet[7] ?? 0) ^ 4;
  assert.deepEqual(openPacket(plainEnvelope, packet), { refused: "crc" });
});

test("a compound that was cut off gives the messages that are whole", () => {
  const compound = encodeCompound([Buffer.from("one"), Buffer.from("two"), Buffer.from("three")]);
  const parts: string[] = [];
  const cut = decodeCompound(compound, 1, compound.length - 1, (start, end) =>
    parts.push(compound.toString("utf8", start, end)),
  );
  assert.deepEqual([parts, cut], [["one", "two"], 1]);
  assert.throws(() => decodeCompound(Buffer.of(9, 0, 1), 0, 3, () => {}), /3 bytes/);
});
