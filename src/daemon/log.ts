import { type Logger, pino } from "pino";

/** The daemon's log: one JSON object a line, with `component` and what it is about. */
export type DaemonLog = Logger;

/** Names of fields that are never written, wherever they stand. */
const secrets = [
  "Env",
  "environment",
  "*.Env",
  "*.environment",
  "Command.Env",
  "config.Command.Env",
  "key",
  "*.key",
];

/** What is kept of lines that cannot be written, until they can, bytes; what comes beyond that is lost. */
const longestBacklog = 256 * 1024;

/** Opens the daemon's log on standard error. A log that cannot be written ends no daemon: on a full disk, or when its terminal is gone. */
export function openLog(level: string): DaemonLog {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: longestBacklog });
  destination.on("error", () => {}); // there is nowhere to tell it
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: secrets, censor: "(secret)" },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
