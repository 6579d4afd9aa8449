import { firewalldRules, type Zones } from "./firewalld.ts";
import { runProgram } from "./programs.ts";
import { type Allowed, ufw6Rules, ufwRules } from "./ufw.ts";

/** Loads what ufw would, for both families, into the network namespace at `netns`. */
export async function loadUfw(netns: string, allowed: Allowed = {}): Promise<void> {
  await runProgram(netns, "iptables-restore", [], { input: ufwRules(allowed) });
  await runProgram(netns, "ip6tables-restore", [], { input: ufw6Rules(allowed) });
}

/** Loads what firewalld would by its nftables backend. */
export async function loadFirewalld(netns: string, zones: Zones): Promise<void> {
  await runProgram(netns, "nft", ["-f", "-"], { input: firewalldRules(zones) });
}

/** The rules of a namespace that are not weft's, a line each, without counters. */
export type ForeignRules = readonly string[];

/** The five tables that iptables keeps; with its nftables backend, nft lists them too. */
const iptablesTables = /^table ip6? (filter|nat|mangle|raw|security) /;
/** Weft's table, which the bridge driver makes in the host's namespace. */
const weftTable = /^table \w+ weft /;

/** What everybody but weft has in a namespace: iptables' tables as iptables shows them, all others as nft does. */
export async function foreignRules(netns: string): Promise<ForeignRules> {
  const [ipv4, ipv6, nft] = await Promise.all([
    runProgram(netns, "iptables-save", []),
    runProgram(netns, "ip6tables-save", []),
    runProgram(netns, "nft", ["--stateless", "list", "ruleset"]),
  ]);
  return [...savedRules("ip", ipv4), ...savedRules("ip6", ipv6), ...nftRules(nft)];
}

/** Comments tell when and by what it was printed, but also that iptables cannot read a table any more. */
function savedRules(family: string, saved: string): readonly string[] {
  const lines = saved
    .split("\n")
    .filter((line) => line !== "" && line !== "COMMIT")
    .filter((line) => !line.startsWith("#") || line.includes("incompatible"));
  let table = "";
  return lines.flatMap((line) => {
    if (line.startsWith("*")) table = line.slice(1);
    return line.startsWith("*") ? [] : [`${family} ${table}: ${line.replace(/ \[\d+:\d+\]$/, "")}`];
  });
}

/** With each line's table and chain before it, for many lines are alike. */
function nftRules(listed: string): readonly string[] {
  const tables = listed.split(/^(?=table )/m).filter((table) => table.startsWith("table "));
  return tables
    .filter((table) => !iptablesTables.test(table) && !weftTable.test(table))
    .flatMap((table) => {
      const [head = "", ...lines] = table.split("\n").map((line) => line.trim());
      let part = "";
      return lines
        .filter((line) => line !== "" && line !== "}")
        .map((line) => {
          if (line.endsWith("{")) part = line.slice(0, -2);
          return `${head.slice("table ".length, -2)} ${part}: ${line}`;
        });
    });
}

/** What has changed between two lists, in their order: `+ ` before a line that came, `- ` before one that went. */
export function changedRules(before: ForeignRules, after: ForeignRules): readonly string[] {
  const common = commonLengths(before, after);
  const changes: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [was, is] = [before[i], after[j]];
    if (was !== undefined && was === is) [i, j] = [i + 1, j + 1];
    else if (was === undefined || (is !== undefined && at(common, i, j + 1) > at(common, i + 1, j))) {
      changes.push(`+ ${is}`);
      j++;
    } else {
      changes.push(`- ${was}`);
      i++;
    }
  }
  return changes;
}

/** For every pair of places, how many lines the two lists have in common from there on, in order. */
function commonLengths(before: ForeignRules, after: ForeignRules): readonly (readonly number[])[] {
  const lengths = Array.from({ length: before.length + 1 }, () =>
    new Array<number>(after.length + 1).fill(0),
  );
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i] ?? [];
      row[j] =
        before[i] === after[j]
          ? at(lengths, i + 1, j + 1) + 1
          : Math.max(at(lengths, i + 1, j), at(lengths, i, j + 1));
    }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}
