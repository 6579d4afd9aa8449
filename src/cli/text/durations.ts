/** Upper ends in hours, and what they are counted in: the words that Docker's users know. */
const spans = [
  { below: 48, hours: 1, unit: "hours" },
  { below: 24 * 7 * 2, hours: 24, unit: "days" },
  { below: 24 * 30 * 2, hours: 24 * 7, unit: "weeks" },
  { below: 24 * 365 * 2, hours: 24 * 30, unit: "months" },
  { below: Number.POSITIVE_INFINITY, hours: 24 * 365, unit: "years" },
] as const;

/** A duration in ms as people say it: `3 minutes`, `About an hour`, `2 weeks`. */
export function spokenDuration(durationMs: number): string {
  const seconds = Math.floor(Math.max(durationMs, 0) / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return "About an hour";
  for (const span of spans) {
    if (hours < span.below) return `${Math.floor(hours / span.hours)} ${span.unit}`;
  }
  return "";
}
