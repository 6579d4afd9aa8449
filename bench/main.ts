// npm run bench                            everything, as tables
// npm run bench -- --json                  the same as JSON
// npm run bench -- --sizes 10              the control plane at other numbers of networks
// npm run bench -- --only networks,ports   only these parts
// npm run bench -- --rounds 9              more rounds of what is measured in turn; 5 without
// npm run bench -- --sandboxes 500         how many commands the daemon's part runs at once; 2000 without
import { parseArgs } from "node:util";
import { conflictProbe, conflictProbePart, conflictProbeTable } from "./conflict-probe.ts";
import { type ControlPlaneFigures, controlPlane } from "./control-plane.ts";
import { daemonFigures, daemonPart } from "./daemon/daemon.ts";
import { daemonTable } from "./daemon/figures.ts";
import { gossipBench, gossipPart, gossipTable } from "./gossip.ts";
import { gossipDb, gossipDbPart, gossipDbTable } from "./gossip-db.ts";
import type { Timing } from "./measure.ts";
import { beside, besideParts } from "./peers/beside.ts";
import { besideTable } from "./peers/table.ts";
import { portScale, portScalePart, portScaleTable } from "./port-scale/port-scale.ts";

/**
 * What can be measured: weft beside the kernel's own share, beside others, with many published ports, the daemon,
 * the network database and gossip.
 */
const allParts = [
  "control-plane",
  conflictProbePart,
  ...besideParts,
  portScalePart,
  daemonPart,
  gossipDbPart,
  gossipPart,
];

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    sizes: { type: "string", default: "10,1000" },
    only: { type: "string", default: allParts.join(",") },
    rounds: { type: "string", default: "5" },
    sandboxes: { type: "string", default: "2000" },
  },
});
const parts = new Set(values.only.split(","));
const unknown = [...parts].filter((part) => !allParts.includes(part));
if (unknown.length > 0)
  throw new RangeError(`nothing is called ${unknown.join(", ")}: --only takes ${allParts.join(", ")}`);
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new RangeError(`--rounds ${values.rounds}: it takes a whole number of rounds, 1 or more`);

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
  console.log();
}

const control = parts.has("control-plane")
  ? await controlPlane(values.sizes.split(",").map(Number))
  : undefined;
if (control !== undefined && !values.json) print(control);
const probe = parts.has(conflictProbePart) ? await conflictProbe() : undefined;
if (probe !== undefined && !values.json) for (const line of conflictProbeTable(probe)) console.log(line);
const figures = besideParts.some((part) => parts.has(part)) ? await beside(parts, rounds) : undefined;
if (figures !== undefined && !values.json) for (const line of besideTable(figures)) console.log(line);
const scale = parts.has(portScalePart) ? await portScale(rounds) : undefined;
if (scale !== undefined && !values.json) for (const line of portScaleTable(scale)) console.log(line);
const daemon = parts.has(daemonPart) ? await daemonFigures(rounds, Number(values.sandboxes)) : undefined;
if (daemon !== undefined && !values.json) for (const line of daemonTable(daemon)) console.log(line);
const database = parts.has(gossipDbPart) ? await gossipDb() : undefined;
if (database !== undefined && !values.json) for (const line of gossipDbTable(database)) console.log(line);
const gossip = parts.has(gossipPart) ? await gossipBench() : undefined;
if (gossip !== undefined && !values.json) for (const line of gossipTable(gossip)) console.log(line);
if (values.json) {
  const all = {
    ...control,
    ...(probe && { conflictProbe: probe }),
    ...(figures && { beside: figures }),
    ...(scale && { portScale: scale }),
    ...(daemon && { daemon }),
    ...(database && { gossipDb: database }),
    ...(gossip && { gossip }),
  };
  console.log(JSON.stringify(all, undefined, 2));
}
