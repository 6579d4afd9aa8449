import { quantile } from "../measure.ts";

/** Who can be measured, in the order of columns: weft, its peers, and the kernel's own share. */
export const contestants = ["weft", "dockerd", "kernel"] as const;

/** One of them. */
export type Contestant = (typeof contestants)[number];

/** One work beside others', all measured in turn in one run. */
export interface BesideRow {
  readonly work: string;
  readonly unit: "ms" | "Gbit/s" | "a second";
  /** Times are better when they are less, rates when they are more. */
  readonly better: "less" | "more";
  readonly runs: Partial<Readonly<Record<Contestant, number>>>;
  /** Medians. */
  readonly median: Partial<Readonly<Record<Contestant, number>>>;
}

/** The samples of a row as they come in. */
export class Samples {
  readonly #work: string;
  readonly #unit: BesideRow["unit"];
  readonly #samples = new Map<Contestant, number[]>();

  constructor(work: string, unit: BesideRow["unit"]) {
    this.#work = work;
    this.#unit = unit;
  }

  add(who: Contestant, sample: number): void {
    const list = this.#samples.get(who) ?? [];
    list.push(sample);
    this.#samples.set(who, list);
  }

  row(): BesideRow {
    const each = <T>(of: (list: readonly number[]) => T) =>
      Object.fromEntries([...this.#samples].map(([who, list]) => [who, of(list)]));
    return {
      work: this.#work,
      unit: this.#unit,
      better: this.#unit === "ms" ? "less" : "more",
      runs: each((list) => list.length),
      median: each((list) => quantile(list, 0.5)),
    };
  }
}

/** How many times as good weft is as another; undefined where one of them was not measured. */
export function advantage({ better, median }: BesideRow, over: Contestant): number | undefined {
  const [ours, theirs] = [median.weft, median[over]];
  if (ours === undefined || theirs === undefined) return undefined;
  return better === "less" ? theirs / ours : ours / theirs;
}
