import type { Terminal } from "../../src/runtime/index.ts";

/** A terminal that a test types on, and what it shows. */
export class TypedTerminal {
  readonly #terminal: Terminal;
  readonly #chunks: AsyncIterator<Buffer>;
  /** All that was shown so far. */
  all = "";
  #seen = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#chunks = terminal.output.iterator({ destroyOnReturn: false });
  }

  type(text: string): void {
    this.#terminal.input.write(text);
  }

  /** Reads on until what has been shown since the last call matches all patterns. Throws when the output ends before. */
  async until(...patterns: readonly RegExp[]): Promise<void> {
    while (!patterns.every((pattern) => pattern.test(this.all.slice(this.#seen)))) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new Error(`the terminal ended before ${patterns}: ${JSON.stringify(this.all)}`);
      this.all += String(value);
    }
    this.#seen = this.all.length;
  }

  /** What is shown from now on, until the end. */
  async rest(): Promise<string> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return this.all.slice(this.#seen);
      this.all += String(value);
    }
  }
}
