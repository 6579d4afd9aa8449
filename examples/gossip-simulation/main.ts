// Runs weft's gossip for a whole cluster in this process, on virtual time:
//   npm run simulate -- --nodes 1000 --loss 0.25 --seed 7
//   --seconds 60, --delay 1-5 (ms), --duplicate 0.1, --profile wan, --encrypt
//   --json for JSON, --svg FILE for a chart
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chart } from "./chart.ts";
import { type Figures, type SimulationInit, shares } from "./figures.ts";
import { publishedTime } from "./published-model.ts";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "100" },
    loss: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "60" },
    delay: { type: "string", default: "1-5" },
    duplicate: { type: "string", default: "0" },
    profile: { type: "string", default: "lan" },
    encrypt: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    svg: { type: "string" },
  },
});

function number(
  name: "nodes" | "loss" | "seed" | "seconds" | "duplicate",
  least: number,
  most: number,
): number {
  const value = Number(values[name]);
  if (values[name].trim() !== "" && value >= least && value <= most) return value;
  throw new RangeError(`--${name} ${values[name]}: it takes a number from ${least} to ${most}`);
}

function profile(): SimulationInit["profile"] {
  if (values.profile === "lan" || values.profile === "wan" || values.profile === "local")
    return values.profile;
  throw new RangeError(`--profile ${values.profile}: it takes lan, wan or local`);
}

function delay(): SimulationInit["delay"] {
  const [least = Number.NaN, most = least] = values.delay.split("-").map(Number);
  if (least >= 0 && most >= least) return [least, most];
  throw new RangeError(`--delay ${values.delay}: it takes LEAST-MOST in ms`);
}

const ms = (time: number | undefined) =>
  time === undefined ? "not in time" : `${(time / 1000).toFixed(2)} s`;

function print(figures: Figures): void {
  const { init, convergence, detection } = figures;
  console.log(
    `${init.nodes} nodes, ${init.loss * 100} % loss, ${init.seconds} s of virtual time, seed ${init.seed}\n`,
  );
  console.log("an update is known to        weft   Serf's model");
  for (const [i, share] of shares.entries()) {
    const published = init.profile === "lan" ? ms(publishedTime(init.nodes, init.loss, share)) : "-";
    console.log(
      `${`${share * 100} %`.padStart(18)}${ms(convergence[i]).padStart(15)}${published.padStart(15)}`,
    );
  }
  console.log(`\nreached everybody          ${figures.complete} of ${figures.updates} updates`);
  console.log(
    `sent                       ${(figures.bytesPerNodeSecond / 1000).toFixed(1)} kB and ${figures.packetsPerNodeSecond.toFixed(1)} packets per node and second`,
  );
  console.log(`false suspicions           ${figures.falseSuspicions}`);
  console.log(`false deaths               ${figures.falseDeaths}`);
  console.log(
    `a dead node was noticed    first after ${ms(detection.first)}, by half after ${ms(detection.half)}, by all after ${ms(detection.all)}`,
  );
  console.log(`took                       ${figures.realSeconds.toFixed(1)} s`);
}

const figures = simulate({
  nodes: number("nodes", 2, 20_000),
  loss: number("loss", 0, 0.95),
  seed: number("seed", 0, 2 ** 32),
  seconds: number("seconds", 40, 3600),
  delay: delay(),
  duplication: number("duplicate", 0, 1),
  profile: profile(),
  encrypt: values.encrypt,
});
if (values.svg !== undefined) writeFileSync(values.svg, chart(figures));
if (values.json) console.log(JSON.stringify(figures, undefined, 2));
else print(figures);
