// npm run bench                      the control plane at 10 and at 1,000 networks, as a table
// npm run bench -- --json            the same as JSON
// npm run bench -- --sizes 10        at other numbers of networks
import { parseArgs } from "node:util";
import { type ControlPlaneFigures, controlPlane } from "./control-plane.ts";
import type { Timing } from "./measure.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, sizes: { type: "string", default: "10,1000" } },
});

const ms = (timing: Timing | undefined) =>
  (timing === undefined ? "" : timing.medianMs.toFixed(2)).padStart(9);

/** The aim: creating costs under twice the kernel's share and one durable commit. */
function print({ commit, rows }: ControlPlaneFigures): void {
  console.log(
    `one durable commit of three keys: ${commit.medianMs.toFixed(2)} ms (median of ${commit.runs})\n`,
  );
  console.log(
    `${"median ms".padEnd(50)}${"networks".padStart(9)}${"weft".padStart(9)}${"p95".padStart(9)}${"kernel".padStart(9)}${"2k + c".padStart(9)}`,
  );
  for (const { operation, networks, weft, kernel } of rows) {
    const aim = kernel === undefined ? "" : (2 * kernel.medianMs + commit.medianMs).toFixed(2);
    const p95 = weft.p95Ms.toFixed(2).padStart(9);
    console.log(
      `${operation.padEnd(50)}${String(networks).padStart(9)}${ms(weft)}${p95}${ms(kernel)}${aim.padStart(9)}`,
    );
  }
}

const figures = await controlPlane(values.sizes.split(",").map(Number));
if (values.json) console.log(JSON.stringify(figures, undefined, 2));
else print(figures);
