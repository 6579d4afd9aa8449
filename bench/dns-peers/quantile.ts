/** The value that `share` of them do not exceed, 0 to 1: 0.5 gives the median. Throws RangeError when there are none. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (found === undefined) throw new RangeError("no values");
  return found;
}
