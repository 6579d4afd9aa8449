import type { BesideFigures } from "./beside.ts";
import { advantage, type BesideRow, type Contestant, contestants } from "./row.ts";

const width = 11;

/** The figures as lines: medians, and behind each peer's how many times as good weft is. */
export function besideTable({ versions, rows }: BesideFigures): readonly string[] {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const columns = contestants.filter((who) => rows.some(({ median }) => who in median));
  const head = columns.map((who) => who.padStart(width) + (isPeer(who) ? "weft is".padStart(width) : ""));
  return [
    `medians of turns in one run: ${names.join(", ")}`,
    "",
    `${"".padEnd(54)}${"".padEnd(width)}${head.join("")}`,
    ...rows.map((row) => line(row, columns)),
  ];
}

function isPeer(who: Contestant): boolean {
  return who !== "weft" && who !== "kernel";
}

function line(row: BesideRow, columns: readonly Contestant[]): string {
  const figures = columns.map((who) => {
    const value = row.median[who];
    const text = value === undefined ? "" : value.toFixed(row.unit === "a second" ? 0 : 2);
    return text.padStart(width) + (isPeer(who) ? times(advantage(row, who)) : "");
  });
  return [row.work.padEnd(54), row.unit.padEnd(width), ...figures].join("");
}

function times(factor: number | undefined): string {
  return (factor === undefined ? "" : `${factor.toFixed(factor < 10 ? 2 : 0)} x`).padStart(width);
}
