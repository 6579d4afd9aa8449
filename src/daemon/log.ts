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

/** Opens the daemon's log on standard error. */
export function openLog(level: string): DaemonLog {
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: secrets, censor: "(secret)" },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
