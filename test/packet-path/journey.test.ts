import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { journeyOf } from "./journey.ts";
import { type HookVisit, tracerTable } from "./tracer.ts";

/** A visit of the tracer's own chain; the packet as `source > destination`. */
function visit(hook: string, addresses: string): HookVisit {
  const [source = "", destination = ""] = addresses.split(" > ");
  return {
    family: "inet",
    table: tracerTable,
    chain: hook,
    hook,
    type: "filter",
    packet: { iif: "", oif: "", source, sourcePort: 1, destination, destinationPort: 1, payload: "" },
    matched: [],
    policy: "accept",
  };
}

const sends = (addresses: string) => [visit("output", addresses), visit("postrouting", addresses)];
const receives = (addresses: string) => [visit("prerouting", addresses), visit("input", addresses)];

/** Places and whether they send, in the journey's order. */
function told(seen: Readonly<Record<string, readonly HookVisit[]>>): readonly string[] {
  const journey = journeyOf("client", new Map(Object.entries(seen)));
  return journey.map(
    ({ place, visits }) => `${place} ${visits[0]?.hook === "output" ? "sends" : "receives"}`,
  );
}

suite("the order of what was seen in several namespaces", () => {
  test("has a question to others before the answer that waits for it", () => {
    const seen = {
      client: [...sends("client > proxy"), ...receives("proxy > client")],
      proxy: [
        ...receives("client > proxy"),
        ...sends("inner > server"),
        ...receives("server > inner"),
        ...sends("proxy > client"),
      ],
      server: [...receives("inner > server"), ...sends("server > inner")],
    };
    assert.deepEqual(told(seen), [
      "client sends",
      "proxy receives",
      "proxy sends",
      "server receives",
      "server sends",
      "proxy receives",
      "proxy sends",
      "client receives",
    ]);
  });

  test("has it also where another namespace asks", () => {
    const seen = {
      client: [
        ...sends("client > resolver"),
        ...receives("client > resolver"),
        ...sends("resolver > client"),
        ...receives("resolver > client"),
      ],
      host: [...sends("host > server"), ...receives("server > host")],
      server: [...receives("host > server"), ...sends("server > host")],
    };
    assert.deepEqual(told(seen), [
      "client sends",
      "client receives",
      "host sends",
      "server receives",
      "server sends",
      "host receives",
      "client sends",
      "client receives",
    ]);
  });

  test("is refused when a packet comes from nowhere or ends nowhere", () => {
    assert.throws(
      () => told({ client: sends("client > web"), host: receives("x > web") }),
      /nothing leads to/,
    );
    assert.throws(() => told({ client: [visit("output", "client > web")] }), /a packet is lost/);
  });
});
