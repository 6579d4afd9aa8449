import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { RestartPolicy } from "../../../src/api/index.ts";
import { type EndedRun, restartDelay } from "../../../src/daemon/sandboxes/restart-delay.ts";

const run = (facts: Partial<EndedRun>): EndedRun => ({
  code: 1,
  ranMs: 0,
  restarts: 0,
  lastDelayMs: 0,
  ...facts,
});
const policy = (Name: RestartPolicy["Name"], MaximumRetryCount = 0): RestartPolicy => ({
  Name,
  MaximumRetryCount,
});

suite("when a command that ended is started again", () => {
  const table: readonly (readonly [why: string, RestartPolicy, Partial<EndedRun>, number | undefined])[] = [
    ["never, by default", policy("no"), {}, undefined],
    ["always, after success too", policy("always"), { code: 0 }, 100],
    ["always, when nobody knows how it ended", policy("always"), { code: undefined }, 100],
    ["on failure", policy("on-failure"), { code: 3 }, 100],
    ["on failure: not after success", policy("on-failure"), { code: 0 }, undefined],
    ["on failure: what nobody saw is no failure", policy("on-failure"), { code: undefined }, undefined],
    ["on failure: the last time", policy("on-failure", 2), { restarts: 1, lastDelayMs: 100 }, 200],
    ["on failure: not once too often", policy("on-failure", 2), { restarts: 2, lastDelayMs: 200 }, undefined],
    ["twice the wait each time", policy("always"), { lastDelayMs: 800 }, 1600],
    ["a minute at most", policy("always"), { lastDelayMs: 60_000 }, 60_000],
    ["anew after it ran for long", policy("always"), { lastDelayMs: 60_000, ranMs: 10_000 }, 100],
  ];
  for (const [why, wanted, facts, delay] of table)
    test(why, () => assert.equal(restartDelay(wanted, run(facts)), delay));
});
