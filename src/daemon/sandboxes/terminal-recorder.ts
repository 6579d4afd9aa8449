import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { Terminal } from "../../runtime/index.ts";

/** Writes what a command prints on its terminal to a log, so that it never stands still for want of a reader. */
export class TerminalRecorder {
  readonly #terminal: Terminal;
  readonly #log: WriteStream;

  /** Takes the terminal over, and closes it. `onError` hears when the log cannot be written. */
  constructor(terminal: Terminal, path: string, onError: (error: unknown) => void) {
    this.#terminal = terminal;
    this.#log = createWriteStream(path, { flags: "a", mode: 0o600 });
    this.#log.on("error", (error) => {
      onError(error);
      this.#terminal.output.resume(); // the command goes on
    });
    this.#terminal.output.pipe(this.#log);
  }

  /** The command has ended: resolves when all that it printed is in the log. */
  async end(): Promise<void> {
    await finished(this.#log).catch(() => {}); // told already
    this.#terminal.close();
  }

  /** Reads no more; the command and its terminal go on. */
  close(): void {
    this.#terminal.close();
    this.#log.end();
  }
}
