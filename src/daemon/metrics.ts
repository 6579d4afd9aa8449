import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What is read when the metrics are asked for. */
export interface MetricSources {
  readonly networks: () => number;
  readonly sandboxes: () => ReadonlyMap<string, number>;
  /** Figures of the parts, by metric: name without prefix, help, kind, and its value by one label. */
  readonly figures: () => Promise<readonly Figure[]>;
}

/** One figure of a part, with its labels. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly counter: boolean;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The daemon's metrics; every name begins with `weft_`. */
export class DaemonMetrics {
  readonly #registry = new Registry();
  readonly #operations: Histogram<"operation" | "outcome">;
  readonly #gauges = new Map<string, Gauge | Counter>();
  readonly #last = new Map<string, number>();
  readonly #figures: MetricSources["figures"];

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, prefix: "weft_" });
    this.#operations = new Histogram({
      name: "weft_operation_seconds",
      help: "How long what clients asked for took, by operation and outcome (ok, or the code of the refusal).",
      labelNames: ["operation", "outcome"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10],
      registers,
    });
    new Gauge({
      name: "weft_networks",
      help: "Networks.",
      registers,
      collect() {
        this.set(sources.networks());
      },
    });
    new Gauge({
      name: "weft_sandboxes",
      help: "Sandboxes, by status.",
      labelNames: ["status"],
      registers,
      collect() {
        this.reset();
        for (const [status, count] of sources.sandboxes()) this.set({ status }, count);
      },
    });
    this.#figures = sources.figures;
  }

  /** Notes an operation that took so long; its outcome is `ok`, or the code of the refusal. */
  observe(operation: string, outcome: string, seconds: number): void {
    this.#operations.observe({ operation, outcome }, seconds);
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    for (const figure of await this.#figures()) this.#set(figure);
    return this.#registry.metrics();
  }

  /** Counters are kept by their parts, and begin anew when a part was started anew: what has come since is added. */
  #set({ name, help, counter, value, labels = {} }: Figure): void {
    const full = `weft_${name}`;
    const registers = [this.#registry];
    const labelNames = Object.keys(labels);
    const metric =
      this.#gauges.get(full) ??
      (counter
        ? new Counter({ name: full, help, labelNames, registers })
        : new Gauge({ name: full, help, labelNames, registers }));
    this.#gauges.set(full, metric);
    if (metric instanceof Gauge) {
      metric.set(labels, value);
      return;
    }
    const key = `${full} ${JSON.stringify(labels)}`;
    const last = this.#last.get(key) ?? 0;
    metric.inc(labels, value >= last ? value - last : value);
    this.#last.set(key, value);
  }
}
