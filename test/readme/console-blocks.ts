/** A line that somebody types, with what it is shown to print. */
export interface TypedLine {
  /** Who types it: the word before the `$`; empty for the host. */
  readonly where: string;
  readonly command: string;
  /** `…` in a line stands for any text, alone on one for any lines. */
  readonly printed: readonly string[];
  /** Its number in the file, from 1. */
  readonly lineNumber: number;
}

/**
 * The lines that a Markdown text shows to be typed: those behind `$ ` or `NAME$ ` in its `console` blocks, with the
 * lines that follow a backslash.
 */
export function typedLines(markdown: string): readonly TypedLine[] {
  const found: { where: string; command: string; printed: string[]; lineNumber: number }[] = [];
  let inBlock = false;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (line.startsWith("```")) inBlock = line === "```console";
    else if (inBlock) {
      const last = found.at(-1);
      if (last?.command.endsWith("\\") === true) {
        last.command += `\n${line}`;
        continue;
      }
      const [, where, command] = /^(\w*)\$ (.+)$/.exec(line) ?? [];
      if (where !== undefined && command !== undefined)
        found.push({ where, command, printed: [], lineNumber: index + 1 });
      else last?.printed.push(line);
    }
  }
  return found;
}

/** The expression that what a line prints has to match; how wide a blank is, and what blanks a line ends with, does not count. */
export function patternOf(printed: readonly string[]): RegExp {
  const lines = printed.map((line) => {
    if (line === "…") return "(?:.*\n)+";
    return `${line.trimEnd().split("…").map(escaped).join(".*").replaceAll(/ +/g, " +")}\n`;
  });
  return new RegExp(`^${lines.join("")}$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
