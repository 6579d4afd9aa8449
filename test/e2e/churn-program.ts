// Makes, joins, leaves and deletes at random in several lanes at once, until it is killed, and says before
// and after each operation what it is. Its argument is JSON: the controller's options and a seed.
import { writeSync } from "node:fs";
import { Controller, type ControllerOptions } from "../../src/index.ts";
import { type ChurnLine, carryOut, laneCount, laneState, possible } from "./churn.ts";
import { seededRandom } from "./seeded-random.ts";

const { options, seed } = JSON.parse(process.argv[2] ?? "") as {
  readonly options: ControllerOptions;
  readonly seed: number;
}; // the test wrote it

/** Written before this returns: a kill must not swallow it. */
function tell(line: ChurnLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function runLane(controller: Controller, lane: number): Promise<never> {
  const random = seededRandom(seed * laneCount + lane);
  for (;;) {
    const choices = possible(lane, laneState(controller, lane));
    const operation = choices[Math.floor(random() * choices.length)];
    if (operation === undefined) throw new Error("a lane can always do something");
    tell({ lane, step: "begin", operation });
    await carryOut(controller, operation);
    tell({ lane, step: "done", operation });
  }
}

writeSync(1, "opening\n");
const controller = await Controller.open(options);
writeSync(1, "opened\n");
await Promise.all(Array.from({ length: laneCount }, (_, lane) => runLane(controller, lane)));
