/** Signals that mean a command in the foreground and not the program that stands for it. */
const relayed = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const;

/** Passes the signals of this program on to a command, from before there is one. */
export class SignalRelay {
  readonly #start = new AbortController();
  #target: ((signal: NodeJS.Signals) => void) | undefined;
  #first: NodeJS.Signals | undefined;
  readonly #waiting: NodeJS.Signals[] = [];
  readonly #hear = (signal: NodeJS.Signals) => {
    this.#first ??= signal;
    if (this.#target === undefined) this.#start.abort(new Error(`ended by ${signal}`));
    else this.#target(signal);
  };

  constructor() {
    for (const signal of relayed) process.on(signal, this.#hear);
  }

  /** Fires at a signal that comes before the command begins. */
  get signal(): AbortSignal {
    return this.#start.signal;
  }

  /** The signal that gave up the start. */
  get gaveUp(): NodeJS.Signals | undefined {
    return this.#start.signal.aborted ? this.#first : undefined;
  }

  /**
   * The command begins: signals are its own from now on, and wait for {@link to}. It may catch them before its
   * start has been answered, so that giving up the start would be wrong.
   */
  hold(): void {
    this.#target = (signal) => this.#waiting.push(signal);
  }

  /** From now on signals go to `target`, those that waited first. */
  to(target: (signal: NodeJS.Signals) => void): void {
    this.#target = target;
    for (const signal of this.#waiting.splice(0)) target(signal);
  }

  /** Signals have their usual effect again. */
  close(): void {
    for (const signal of relayed) process.off(signal, this.#hear);
  }
}
