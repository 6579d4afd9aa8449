/** The narrowest column, and the space after the widest cell: as Docker's tables have them. */
const narrowest = 10;
const gap = 3;

/** Lines of cells as a table: columns aligned, no space at the ends of lines. Ends in a line break. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? narrowest, lengthOf(cell) + gap);
    });
  }
  return rows.map((row) => `${lineOf(row, widths).trimEnd()}\n`).join("");
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - lengthOf(cell))).join("");
}

/** In characters, of which a terminal shows each in one place (wide ones aside, as with Docker). */
function lengthOf(cell: string): number {
  return [...cell].length;
}
