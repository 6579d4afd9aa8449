const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A time as people give it, as the daemon takes it: how long ago (`10m`, `1h30m`, Docker's way) becomes a time
 * before `now` (ms since 1970); everything else is passed on.
 */
export function timeText(text: string, now: number): string {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return text;
  let agoMs = 0;
  for (const [, number = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    agoMs += Number(number) * (unitMs[unit] ?? 0);
  }
  return new Date(now - agoMs).toISOString();
}
