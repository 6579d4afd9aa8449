/** What a number of runs took, in ms. */
export interface Timing {
  readonly runs: number;
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** Times `work` so often, after some runs that are not counted, and gives the median. */
export async function timed(runs: number, work: (run: number) => unknown, warmUp = 20): Promise<Timing> {
  const samples: number[] = [];
  for (let run = 0; run < warmUp + runs; run++) {
    const start = performance.now();
    await work(run);
    if (run >= warmUp) samples.push(performance.now() - start);
  }
  return timingOf(samples);
}

/** The median and the 95th percentile of samples in ms. Throws RangeError when there are none. */
export function timingOf(samples: readonly number[]): Timing {
  return { runs: samples.length, medianMs: quantile(samples, 0.5), p95Ms: quantile(samples, 0.95) };
}

/** The sample below which this share of all lies. Throws RangeError when there are none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (found === undefined) throw new RangeError("no samples");
  return found;
}
