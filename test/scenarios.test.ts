import assert from "node:assert/strict";
import { test } from "node:test";
import { withTwin } from "./cnm/world.ts";
import {
  comesOutOnLinux,
  playScenario,
  readScenario,
  scenarioNames,
  scenarioNeeds,
  scenarioOptions,
  updating,
  writeScenario,
} from "./scenario-runner.ts";

for (const name of scenarioNeeds.flatMap(scenarioNames))
  test(`scenario ${name} comes out as written on the twin`, () =>
    withTwin(async (world) => {
      const text = readScenario(name);
      const played = await playScenario(world, text);
      if (updating) writeScenario(name, played);
      else assert.equal(played, text);
    }, scenarioOptions));

for (const name of scenarioNames("")) comesOutOnLinux(name);
