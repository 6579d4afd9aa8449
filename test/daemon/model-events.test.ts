import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseInterfaceAddress, parseMac } from "../../src/core/index.ts";
import type { NewEvent } from "../../src/daemon/event-log.ts";
import type { DaemonLog } from "../../src/daemon/log.ts";
import { tellModelEvent } from "../../src/daemon/model-events.ts";

test("addresses that others have are told with their holders, as a warning and as an event", () => {
  const logged: unknown[] = [];
  const events: NewEvent[] = [];
  // Only the levels that are used.
  const log = {
    warn: (facts: unknown, words: string) => logged.push([words, facts]),
  } as unknown as DaemonLog;
  const mac = parseMac("52:54:00:12:34:56");
  tellModelEvent(
    {
      event: "address-conflict",
      what: "endpoint web of network lan",
      held: ["192.168.57.2", "192.168.57.3"].map((address) => ({ address: parseAddress(address), mac })),
      taken: [parseInterfaceAddress("192.168.57.4/24")],
    },
    log,
    (event) => events.push(event),
  );
  const facts = {
    what: "endpoint web of network lan",
    held: "192.168.57.2 by 52:54:00:12:34:56, 192.168.57.3 by 52:54:00:12:34:56",
    taken: "192.168.57.4/24",
  };
  assert.deepEqual(logged, [["address-conflict", { component: "model", ...facts, err: undefined }]]);
  assert.deepEqual(events, [
    { Type: "host", Action: "address-conflict", Actor: { Id: "", Name: facts.what, Attributes: facts } },
  ]);
});
