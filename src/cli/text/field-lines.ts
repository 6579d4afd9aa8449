import { printable } from "./printable.ts";

/** An object for people: a title, and a line a field. */
export function fieldLines(title: string, fields: object): string {
  const entries = Object.entries(fields).map(
    ([name, value]) => [`${wordsOf(name)}:`, String(value)] as const,
  );
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  const lines = entries.map(([name, value]) => ` ${name.padEnd(width)}  ${printable(value)}`.trimEnd());
  return `${[`${title}:`, ...lines].join("\n")}\n`;
}

/** `MemoryBytes` as `Memory bytes`. */
function wordsOf(field: string): string {
  const words = field.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
