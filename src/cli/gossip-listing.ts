import type { KeysAnswer } from "./gossip-control.ts";
import type { MemberLine, TableLine } from "./gossip-layer.ts";

/** The members, with the columns of `serf members`: name, address, status, tags. */
export function memberLines(members: readonly MemberLine[]): string {
  return columns(
    members.map(({ name, address, status, tags }) => [
      name,
      address,
      status,
      Object.entries(tags)
        .map(([tag, value]) => `${tag}=${value}`)
        .join(","),
    ]),
  );
}

/** The entries: network, table, key, owner, value. */
export function tableLines(entries: readonly TableLine[]): string {
  return columns(entries.map(({ network, table, key, owner, value }) => [network, table, key, owner, value]));
}

/** How many members answered, each key with how many have it, and who failed. */
export function keyLines({ members, answered, keys, primaries, failures }: KeysAnswer): string {
  const lines = [`${answered} of ${members} members answered`];
  for (const [key, count] of Object.entries(keys)) {
    const primary = primaries[key];
    lines.push(`${key}  [${count}/${members}]${primary === undefined ? "" : `  primary of ${primary}`}`);
  }
  for (const [node, why] of Object.entries(failures)) lines.push(`${node} failed: ${why}`);
  return lines.join("\n");
}

/** Rows with two spaces between columns that line up, as Serf prints them. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
