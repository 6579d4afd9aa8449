import type { DaemonMetrics, MetricSources } from "./metrics.ts";

/** The daemon's metrics. Their library takes 40 ms to load, which nobody has to wait for who starts a daemon. */
export class LaterMetrics {
  readonly #sources: MetricSources;
  #loaded: Promise<DaemonMetrics> | undefined;

  constructor(sources: MetricSources) {
    this.#sources = sources;
  }

  /** Loads what counts. Done by {@link observe} and {@link text} too. */
  load(): Promise<DaemonMetrics> {
    this.#loaded ??= import("./metrics.ts").then(({ DaemonMetrics }) => new DaemonMetrics(this.#sources));
    return this.#loaded;
  }

  /** See DaemonMetrics.observe. What is told before all is loaded is noted then. */
  observe(operation: string, outcome: string, seconds: number): void {
    this.load().then(
      (metrics) => metrics.observe(operation, outcome, seconds),
      () => {}, // whoever asks for the metrics is told
    );
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    return (await this.load()).text();
  }
}
