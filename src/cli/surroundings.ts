import type { Readable, Writable } from "node:stream";

/** What the command line is used with: everything outside of it that it reads, writes or asks. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  /** The folder that it was called in. */
  readonly cwd: () => string;
  /** Now, in ms since 1970. */
  readonly now: () => number;
}

/** The program's own. */
export function ownSurroundings(): Surroundings {
  const { env, stdin, stdout, stderr } = process;
  return { env, stdin, stdout, stderr, cwd: () => process.cwd(), now: () => Date.now() };
}

/** Writes a text and waits until it was taken, so that a slow reader is not outrun. */
export function write(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}
