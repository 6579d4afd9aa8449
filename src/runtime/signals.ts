import os from "node:os";
import { WeftError } from "../core/index.ts";

const numbers: Readonly<Record<string, number>> = os.constants.signals;

/** The real-time signals of glibc (signal(7)), which Node has no names for. */
const firstRealTime = 34;
const lastRealTime = 64;

/** Second names: Node's table has both of some numbers. */
const secondNames = new Set(["SIGIOT", "SIGPOLL", "SIGUNUSED", "SIGCLD"]);

/**
 * The number of a signal as people write it: `TERM`, `sigterm`, `15`, `RTMIN+3`. Throws INVALID_SIGNAL in Docker's
 * words.
 */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOf(text.toUpperCase().replace(/^SIG/, ""));
  if (number !== undefined && number >= 1 && number <= lastRealTime) return number;
  throw new WeftError("INVALID_SIGNAL", `Invalid signal: ${text}`);
}

function numberOf(name: string): number | undefined {
  const realTime = /^RTM(IN|AX)(?:([+-])(\d+))?$/.exec(name);
  if (realTime === null) return numbers[`SIG${name}`];
  const [, end, sign, offset = "0"] = realTime;
  const number = end === "IN" ? firstRealTime : lastRealTime;
  const found = sign === "-" ? number - Number(offset) : number + Number(offset);
  return found >= firstRealTime && found <= lastRealTime ? found : undefined;
}

/** The name of a signal's number. */
export function signalName(number: number): NodeJS.Signals {
  for (const [name, value] of Object.entries(numbers)) {
    if (value === number && !secondNames.has(name)) return name as NodeJS.Signals; // a name of Node's own table
  }
  // Node's type lacks the real-time signals, which it has no names for.
  return `SIGRTMIN+${number - firstRealTime}` as NodeJS.Signals;
}
