import { WeftError } from "../core/index.ts";

/** A time as the interface writes it; empty without one. `at` is ms since 1970. */
export function timeText(at: number | undefined): string {
  return at === undefined ? "" : new Date(at).toISOString();
}

const units = [
  ["year", 365 * 24 * 3600],
  ["month", 30 * 24 * 3600],
  ["week", 7 * 24 * 3600],
  ["day", 24 * 3600],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** A span for people: `3 minutes`, `About an hour` is `1 hour` here. `ms` is cut to whole units. */
export function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return "Less than a second";
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return "Less than a second";
}

/** Seconds since 1970, with a fraction or without, or RFC 3339; gives ms since 1970. Throws INVALID_OPTION. */
export function parseTime(what: string, text: string): number {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new WeftError(
    "INVALID_OPTION",
    `invalid ${what} ${JSON.stringify(text)}: it should be a time such as 2026-11-21T16:07:06Z, or seconds since 1970`,
  );
}

const spanUnits: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The time before which a filter `until` means: a span back from `now` (`24h`, `1h30m`), or what {@link parseTime} reads; ms since 1970. */
export function parseUntil(text: string, now: number): number {
  const parts = [...text.matchAll(/([0-9]+)([smhd])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return parseTime("until", text);
  return now - parts.reduce((sum, [, count, unit = "s"]) => sum + Number(count) * (spanUnits[unit] ?? 0), 0);
}
