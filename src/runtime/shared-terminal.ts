import { closeSync, openSync, writeSync } from "node:fs";
import { Readable, type Writable } from "node:stream";
import type { Terminal } from "./terminal.ts";

/** One who looks at a terminal and types on it. */
export interface Attachment {
  /** What is shown from now on; ends with the terminal. Destroying it detaches, and changes nothing for the command. */
  readonly output: Readable;
  /** What is typed; everybody's, so it is not to be ended. */
  readonly input: Writable;
}

/**
 * A terminal whose output goes to a log, and to whoever is attached at the time. As in a terminal window, a command
 * stands still while somebody who is attached does not read.
 */
export class SharedTerminal {
  readonly #terminal: Terminal;
  readonly #attached = new Set<Viewer>();
  readonly #onLogError: (error: unknown) => void;
  readonly #logFd: number;
  /** Resolves when all that the command printed is in the log, and its terminal is closed; or after {@link close}. */
  readonly ended: Promise<void>;

  /**
   * `onLogError` is told when output cannot be written to the log, a full disk for instance: it is lost there.
   * Throws Node's error when the log cannot be opened.
   */
  constructor(terminal: Terminal, logPath: string, onLogError: (error: unknown) => void) {
    this.#terminal = terminal;
    this.#onLogError = onLogError;
    this.#logFd = openSync(logPath, "a", 0o644);
    this.ended = this.#pump();
  }

  /** Joins those who look and type. */
  attach(): Attachment {
    const output = new Viewer((viewer) => this.#attached.delete(viewer));
    this.#attached.add(output);
    return { output, input: this.#terminal.input };
  }

  /** Tells the command that the window has another size, in characters. Throws INVALID_COMMAND. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows);
  }

  /** Closes this program's end, and detaches everybody. */
  async close(): Promise<void> {
    this.#terminal.close();
    for (const viewer of this.#attached) viewer.destroy();
    await this.ended;
  }

  async #pump(): Promise<void> {
    try {
      for await (const chunk of this.#terminal.output) {
        this.#log(chunk);
        await Promise.all([...this.#attached].map((viewer) => viewer.show(chunk)));
      }
    } catch {
      // closed while it was waited for
    } finally {
      for (const viewer of this.#attached) viewer.push(null);
      closeSync(this.#logFd);
    }
  }

  #log(chunk: Uint8Array): void {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#logFd, chunk, at);
    } catch (error) {
      this.#onLogError(error);
    }
  }
}

class Viewer extends Readable {
  readonly #leave: (viewer: Viewer) => void;
  #goOn: () => void = () => {};

  constructor(leave: (viewer: Viewer) => void) {
    super();
    this.#leave = leave;
  }

  /** Resolves when there is room for more, or nobody looks any more. */
  show(chunk: Uint8Array): Promise<void> | undefined {
    if (this.destroyed || this.push(chunk)) return undefined;
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  override _read(): void {
    this.#goOn();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#leave(this);
    this.#goOn();
    done(error);
  }
}
