import fc from "fast-check";
import type { Message } from "../../../../src/gossip/networkdb/messages.ts";

const name = fc.string({ unit: "grapheme", maxLength: 20 });
const time = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 40 });

/** Every kind of message, with all values that the fields can have. */
export const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant("node" as const),
    change: fc.constantFrom("join" as const, "leave" as const),
    time,
    node: name,
  }),
  fc.record({
    kind: fc.constant("network" as const),
    change: fc.constantFrom("join" as const, "leave" as const),
    time,
    node: name,
    network: name,
  }),
  fc.record({
    kind: fc.constant("table" as const),
    change: fc.constantFrom("create" as const, "update" as const, "delete" as const),
    time,
    node: name,
    network: name,
    table: name,
    key: name,
    value: bytes,
    residualSeconds: fc.nat(2 ** 31 - 1),
  }),
  fc.record({
    kind: fc.constant("bulk-sync" as const),
    time,
    unsolicited: fc.boolean(),
    node: name,
    networks: fc.array(name, { maxLength: 4 }),
    payload: bytes,
  }),
  fc.record({ kind: fc.constant("compound" as const), parts: fc.array(bytes, { maxLength: 5 }) }),
  fc.record({
    kind: fc.constant("push-pull" as const),
    time,
    node: name,
    attachments: fc.array(fc.record({ network: name, time, node: name, leaving: fc.boolean() }), {
      maxLength: 4,
    }),
  }),
);
