import { InvalidArgumentError } from "commander";

/** A whole number that is not negative: seconds, lines. */
export function count(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError("It should be a whole number, 0 or more.");
  }
  return number;
}

/** A whole number. */
export function integer(text: string): number {
  const number = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError("It should be a whole number.");
  }
  return number;
}

const units: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A size in bytes as Docker has it: `4096`, `64k`, `10m`, `1g`. */
export function byteSize(text: string): number | undefined {
  const match = /^(\d+)([bkmg])?b?$/i.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (units[match[2]?.toLowerCase() ?? "b"] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Lines of a log from its end: a number, or `all`. */
export function tailLines(text: string): number | "all" {
  return text === "all" ? text : count(text);
}
