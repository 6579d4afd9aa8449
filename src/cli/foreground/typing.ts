import type { Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { write } from "../surroundings.ts";
import { DetachKeys } from "./detach-keys.ts";

/** Where what is typed goes to. */
export interface TypingTarget {
  readonly writable: Writable;
  /** True when it reads every key by itself, as a shell does. */
  readonly isTerminal: boolean;
}

/** What ends the typing. */
export interface Leaving {
  /** The keys, at a terminal. */
  readonly sequence: Uint8Array;
  /** Called when they were typed, or the terminal at which they could be is gone. */
  readonly detach: () => void;
}

/** Passes what is typed on to a command that is attached to, until the keys that detach are. */
export class Typing {
  readonly #stdin: Readable;
  readonly #terminal: ReadStream | undefined;
  readonly #target: TypingTarget;
  readonly #keys: DetachKeys;
  readonly #detach: () => void;
  readonly #raw: boolean;
  #closed = false;

  constructor(stdin: Readable, target: TypingTarget, { sequence, detach }: Leaving) {
    this.#stdin = stdin;
    this.#terminal = stdin instanceof ReadStream ? stdin : undefined;
    this.#target = target;
    this.#keys = new DetachKeys(sequence);
    this.#detach = detach;
    this.#raw = this.#terminal !== undefined && target.isTerminal;
    // A command that has ended reads nothing more, which each write is told too.
    target.writable.on("error", () => {});
  }

  /** From now on. */
  start(): void {
    this.#terminal?.on("error", this.#detach);
    if (this.#raw) this.#terminal?.setRawMode(true);
    this.#stdin.on("data", this.#hear);
  }

  /** No longer; also when it was not started. */
  close(): void {
    this.#closed = true;
    this.#stdin.off("data", this.#hear);
    this.#stdin.pause();
    if (this.#raw) this.#terminal?.setRawMode(false);
    this.#terminal?.off("error", this.#detach);
  }

  readonly #hear = (chunk: Uint8Array): void => {
    const { passed, detached } =
      this.#terminal === undefined ? { passed: chunk, detached: false } : this.#keys.read(chunk);
    this.#stdin.pause();
    void write(this.#target.writable, passed).then(
      () => this.#goOn({ detached }),
      // The command has ended. Until that is told, or it is started again, the keys that detach still do.
      () => this.#goOn({ detached, paused: this.#terminal === undefined }),
    );
  };

  #goOn({ detached, paused = false }: { readonly detached: boolean; readonly paused?: boolean }): void {
    if (detached) this.#detach();
    else if (!paused && !this.#closed) this.#stdin.resume();
  }
}
