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
