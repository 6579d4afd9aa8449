import type { Readable, Writable } from "node:stream";
import { isatty } from "node:tty";
import type { RuntimeDoor } from "./foreground/runtime-door.ts";

/** Which of this program's streams are a terminal, and how large that is, in characters. */
export interface Terminals {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly size: { readonly columns: number; readonly rows: number };
}

/** What the command line is used with: everything outside of it that it reads, writes or asks. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly terminals: () => Terminals;
  /** The folder that it was called in. */
  readonly cwd: () => string;
  /** Whether this program may enter namespaces. */
  readonly isRoot: () => boolean;
  /** Now, in ms since 1970. */
  readonly now: () => number;
  /** What starts commands, in place of src/runtime. */
  readonly runtime?: () => Promise<RuntimeDoor>;
}

/** The program's own. */
export const ownSurroundings: Surroundings = {
  env: process.env,
  // Opened when it is read: Node would make a pipe non-blocking, also for a command that inherits it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  terminals: () => {
    const { columns = 80, rows = 24 } = process.stdout;
    return { stdin: isatty(0), stdout: isatty(1), size: { columns, rows } };
  },
  cwd: () => process.cwd(),
  isRoot: () => process.geteuid?.() === 0,
  now: () => Date.now(),
};

/** Writes a text and waits until it was taken, so that a slow reader is not outrun. */
export function write(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}
