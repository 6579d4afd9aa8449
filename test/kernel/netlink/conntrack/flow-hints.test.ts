import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressFromBytes } from "../../../../src/core/index.ts";
import {
  type FlowTuple,
  flowAttributes,
  tupleToWire,
} from "../../../../src/kernel/netlink/conntrack/flow.ts";
import { mayBeWanted } from "../../../../src/kernel/netlink/conntrack/flow-hints.ts";
import { withHeader } from "../../../../src/kernel/netlink/nfnetlink.ts";
import { Writer } from "../../../../src/kernel/netlink/wire.ts";

const addresses = ([4, 16] as const).map((length) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => addressFromBytes(bytes)),
);
const ports = fc.integer({ min: 0, max: 65535 });

function tuples(address: (typeof addresses)[number]): fc.Arbitrary<FlowTuple> {
  return fc.record({
    source: address,
    destination: address,
    protocol: fc.constantFrom(6, 17),
    sourcePort: ports,
    destinationPort: ports,
  });
}

const flows = fc.oneof(...addresses.map((one) => fc.record({ original: tuples(one), reply: tuples(one) })));

function payloadOf({ original, reply }: { readonly original: FlowTuple; readonly reply: FlowTuple }): Buffer {
  const writer = new Writer();
  const wire = { original: tupleToWire(original), reply: tupleToWire(reply), status: 8, id: 1 };
  withHeader(2, 0, flowAttributes, wire)(writer);
  return Buffer.from(writer.finish());
}

test("a flow passes by any one of its hints, and by none if it has none", () => {
  fc.assert(
    fc.property(flows, flows, (flow, other) => {
      const payload = payloadOf(flow);
      const { original, reply } = flow;
      for (const one of [original.source, original.destination, reply.source])
        assert.ok(mayBeWanted({ addresses: [other.original.source, one], ports: [] })(payload), one);
      assert.ok(mayBeWanted({ addresses: [], ports: [original.destinationPort ?? -1] })(payload));
      assert.ok(!mayBeWanted({ addresses: [], ports: [] })(payload));
      const ending = (address: string) => address.slice(-4);
      const known = [original.source, original.destination, reply.source].map(ending);
      const strangers = [other.original.source, reply.destination].filter((a) => !known.includes(ending(a)));
      const strangePort = (original.destinationPort ?? 0) ^ 1;
      assert.ok(!mayBeWanted({ addresses: strangers, ports: [strangePort] })(payload), strangers.join());
    }),
  );
});

test("what is cut off or empty is no flow that is wanted", () => {
  const flow: FlowTuple = {
    source: addressFromBytes(Buffer.from([10, 0, 0, 2])),
    destination: addressFromBytes(Buffer.from([10, 0, 0, 3])),
    protocol: 17,
    sourcePort: 1,
    destinationPort: 2,
  };
  const mayBe = mayBeWanted({ addresses: [flow.source], ports: [2] });
  assert.ok(mayBe(payloadOf({ original: flow, reply: flow })));
  for (const payload of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(32)]) assert.ok(!mayBe(payload));
});
