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
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const [medianMs, p95Ms] = [at(0.5), at(0.95)];
  if (medianMs === undefined || p95Ms === undefined) throw new RangeError("no samples");
  return { runs: sorted.length, medianMs, p95Ms };
}
