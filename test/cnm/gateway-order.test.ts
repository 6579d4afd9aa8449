import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Attachment, gatewayFor, inGatewayOrder } from "../../src/cnm/gateway-order.ts";
import type { Family } from "../../src/core/index.ts";
import { endpointRecord, networkRecord } from "./samples.ts";

interface Shape {
  readonly name: string;
  readonly priority?: number;
  readonly internal?: boolean;
  readonly gateways?: readonly string[];
  readonly advertised?: readonly Family[];
}

function attachment(shape: Shape): Attachment {
  const { name, priority = 0, internal = false, gateways = ["10.0.0.1"], advertised = [] } = shape;
  return {
    network: networkRecord(name, { internal }),
    endpoint: endpointRecord(name, "e", { sandbox: "c", priority, gateways, advertised }),
  };
}

const order = (...shapes: readonly Shape[]) =>
  inGatewayOrder(shapes.map(attachment)).map(({ network }) => network.name);

test("priority comes first, then a way out, then more families, then the name", () => {
  assert.deepEqual(order({ name: "b" }, { name: "a" }), ["a", "b"]);
  assert.deepEqual(order({ name: "a" }, { name: "b", priority: 1 }), ["b", "a"]);
  assert.deepEqual(order({ name: "a", priority: -1 }, { name: "b" }), ["b", "a"]);
  assert.deepEqual(order({ name: "a", internal: true, gateways: [] }, { name: "b" }), ["b", "a"]);
  assert.deepEqual(order({ name: "a" }, { name: "b", gateways: ["10.0.0.1", "fd00::1"] }), ["b", "a"]);
  assert.deepEqual(order({ name: "a", internal: true, priority: 9 }, { name: "b" }), ["a", "b"]);
});

test("each family takes the first attachment that has a gateway for it", () => {
  const ordered = inGatewayOrder([
    attachment({ name: "four", priority: 2 }),
    attachment({ name: "both", gateways: ["10.9.0.1", "fd00::1"] }),
  ]);
  assert.equal(gatewayFor(ordered, 4)?.attachment.network.name, "four");
  assert.equal(gatewayFor(ordered, 6)?.attachment.network.name, "both");
  assert.equal(gatewayFor([], 4), undefined);
});

test("one that listens to routers is the way out before gateways of lower priority, and of its family alone", () => {
  const both: Shape = { name: "both", gateways: ["10.9.0.1", "fd00::1"] };
  const listens: Shape = { name: "listens", gateways: [], advertised: [6] };
  const wayOut = (family: Family, ...shapes: readonly Shape[]) =>
    gatewayFor(inGatewayOrder(shapes.map(attachment)), family)?.attachment.network.name;
  assert.equal(wayOut(6, both, { ...listens, priority: 1 }), undefined);
  assert.equal(wayOut(4, both, { ...listens, priority: 1 }), "both");
  assert.equal(wayOut(6, both, listens), "both");
  assert.equal(wayOut(6, { ...both, priority: 1 }, listens), "both");
  assert.equal(
    wayOut(6, { ...both, priority: 1 }, { ...listens, priority: 2 }, { ...listens, priority: 1 }),
    undefined,
  );
  assert.equal(
    wayOut(6, { ...both, name: "first", priority: 2 }, { ...listens, priority: 1 }, both),
    "first",
  );
});

test("the order does not depend on the order of joining", () => {
  const shape = fc.record({
    priority: fc.integer({ min: -2, max: 2 }),
    internal: fc.boolean(),
    gateways: fc.constantFrom<readonly string[]>([], ["10.0.0.1"], ["fd00::1"], ["10.0.0.1", "fd00::1"]),
  });
  const shapes = fc
    .array(shape, { maxLength: 6 })
    .map((list) => list.map((one, i) => attachment({ ...one, name: `n${i}` })));
  fc.assert(
    fc.property(
      shapes.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, shuffled]) => assert.deepEqual(inGatewayOrder(shuffled), inGatewayOrder(list)),
    ),
  );
});
