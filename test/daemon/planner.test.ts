import assert from "node:assert/strict";
import { defaultConfig } from "../../src/daemon/config.ts";
import { planRequest } from "../../src/daemon/planner.ts";
import { statusOf } from "../../src/daemon/sandboxes/sandbox-view.ts";
import { seededRandom, TestClock } from "../cnm/deterministic.ts";
import { keptTest, withCommand } from "./sandboxes/kept-sandboxes.ts";

/** A clock on which every wait is over at once. */
class HastyClock extends TestClock {
  override sleep(): Promise<void> {
    return Promise.resolve();
  }
}

keptTest("a plan is of what was asked for, not of what waits to be started again", async (kept) => {
  await kept.keeper.create(withCommand("flaky", { RestartPolicy: { Name: "always" } }), { start: true });
  kept.commands.only().finish(1);
  while (statusOf(kept.record("flaky")) !== "restarting") await new Promise(setImmediate);
  const parts = {
    controller: kept.world.controller,
    facts: kept.world.bare.facts,
    folders: { root: "/weft-twin", run: "/weft-twin/run" },
    clock: new HastyClock(),
    random: seededRandom("plan"),
    version: "test",
    config: defaultConfig,
    output: { async *logs() {}, logPath: () => "", inputPath: () => undefined },
    metrics: async () => "",
  };
  const planned = async (Path: string, Body?: unknown) => {
    const { Status, Steps } = await planRequest(parts, { Method: "POST", Path, Body });
    assert.ok(Status < 300, String(Status));
    return Steps.filter(({ Step }) => Step === "start").map((step) => step.Object);
  };
  assert.deepEqual(await planned("/v1/networks", { Name: "web" }), []);
  assert.deepEqual(await planned("/v1/sandboxes/flaky/start"), ["command of sandbox flaky"]);
  assert.equal(kept.commands.running.size, 0);
});
