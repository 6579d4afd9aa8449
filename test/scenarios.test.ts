import assert from "node:assert/strict";
import { test } from "node:test";
import { withLinux, withTwin } from "./cnm/world.ts";
import {
  playScenario,
  readScenario,
  scenarioNames,
  scenarioOptions,
  updating,
  writeScenario,
} from "./scenario-runner.ts";

for (const name of scenarioNames()) {
  test(`scenario ${name} comes out as written on the twin`, () =>
    withTwin(async (world) => {
      const text = readScenario(name);
      const played = await playScenario(world, text);
      if (updating) writeScenario(name, played);
      else assert.equal(played, text);
    }, scenarioOptions));

  test(`scenario ${name} comes out as written on Linux`, () =>
    withLinux(async (world) => {
      const text = readScenario(name);
      assert.equal(await playScenario(world, text), text);
    }, scenarioOptions));
}
