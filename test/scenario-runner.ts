// Runs the scenarios of test/scenarios on the twin and on Linux; both have to give the expected text.
// A line that begins with `$` is a command. What follows it is what came of it: what a command shows, or
// `! CODE: words` when it was refused, and then how the tables (kernel, records, held) changed by it,
// `-` a line that is gone and `+` one that is new. `$ tables` shows all of them. `#` begins a remark.
//
// To write the files anew, after a build, and read the difference in review:
//     WEFT_UPDATE_SCENARIOS=1 node --test dist/test/scenarios.test.js
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isWeftError } from "../src/core/index.ts";
import { runCommand } from "./cnm/scenario-commands.ts";
import { StaticRouteDriver } from "./cnm/static-route-driver.ts";
import { StableNames, tablesOf } from "./cnm/tables-text.ts";
import { type World, type WorldOptions, withLinux } from "./cnm/world.ts";
import { repositoryFolder } from "./fixture-file.ts";

/** True when the files are to be written and not compared. */
export const updating = process.env.WEFT_UPDATE_SCENARIOS === "1";

/** What worlds of scenarios have besides the native drivers. */
export const scenarioOptions: WorldOptions = {
  drivers: (_hand, facts) => [new StaticRouteDriver(facts)],
};

function folder(): string {
  return join(repositoryFolder(), "test/scenarios");
}

/** What of the kernel scenarios need: that of every test, macvlan too, or what Debian's kernel has. */
export const scenarioNeeds = ["", "macvlan", "full-kernel"] as const;

/** The names of the scenarios that need just that, each with the folder that it is in. */
export function scenarioNames(needs: (typeof scenarioNeeds)[number]): readonly string[] {
  const files = readdirSync(join(folder(), needs)).filter((name) => name.endsWith(".txt"));
  return files.map((name) => join(needs, name.slice(0, -".txt".length))).sort();
}

/** The text of a scenario, as it is written. */
export function readScenario(name: string): string {
  return readFileSync(join(folder(), `${name}.txt`), "utf8");
}

/** Puts what came out in the place of what is written. */
export function writeScenario(name: string, text: string): void {
  writeFileSync(join(folder(), `${name}.txt`), text);
}

/** Carries out the commands of a scenario's text and gives the text with what came of them. */
export async function playScenario(world: World, text: string): Promise<string> {
  const names = new StableNames();
  const out: string[] = [];
  let tables = await tablesOf(world, names);
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || line === "") out.push(line);
    if (!line.startsWith("$")) continue;
    out.push(line);
    const command = line.slice(1).trim();
    if (command === "tables") {
      out.push(...tables.map((one) => `  ${one}`));
      continue;
    }
    out.push(...(await outcomeOf(world, names, command)));
    const now = await settledTables(world, names);
    out.push(...world.events.splice(0).map((event) => `event ${names.in(JSON.stringify(event))}`));
    out.push(...difference(tables, now));
    tables = now;
  }
  return out.join("\n");
}

/** A test that a scenario comes out as it is written on this machine's kernel. */
export function comesOutOnLinux(name: string): void {
  test(`scenario ${name} comes out as written on Linux`, () =>
    withLinux(async (world) => {
      const text = readScenario(name);
      assert.equal(await playScenario(world, text), text);
    }, scenarioOptions));
}

async function settledTables(world: World, names: StableNames): Promise<readonly string[]> {
  names.learn(world);
  await world.settle();
  return tablesOf(world, names);
}

async function outcomeOf(world: World, names: StableNames, command: string): Promise<readonly string[]> {
  try {
    const shown = await runCommand(world, names, command);
    names.learn(world);
    return shown.map((line) => `  ${names.in(line)}`);
  } catch (error) {
    if (!isWeftError(error)) throw error;
    names.learn(world);
    return `! ${error.code}: ${names.in(error.message)}`.split("\n");
  }
}

function difference(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...without(before, after).map((line) => `- ${line}`),
    ...without(after, before).map((line) => `+ ${line}`),
  ];
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
