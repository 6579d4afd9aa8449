import { watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { startOfLog } from "./command-log.ts";

/** Which part of a log is read. */
export interface ReadLogOptions {
  /** The last so many lines; all that there are when not given. */
  readonly tail?: number;
  /** True to go on with what is written later, until `ended` settles or `signal` fires. */
  readonly follow?: boolean;
  /** Settles when the command has ended: what it wrote before is read, and then the reading ends. */
  readonly ended?: Promise<unknown>;
  /** Ends the reading, quietly. */
  readonly signal?: AbortSignal;
}

const chunkBytes = 65_536;

/**
 * Reads a command's log, oldest first, also while it is written to and trimmed. Begins with a whole line. A log
 * that is shorter than it was is read from its start. Throws Node's ENOENT when there is none.
 */
export async function* readLog(path: string, options: ReadLogOptions = {}): AsyncGenerator<Buffer, void> {
  const { tail, follow = false, signal } = options;
  const file = await open(path, "r");
  const changes = follow ? new Changes(path, options) : undefined;
  try {
    const first = await firstLine(file);
    let offset = tail === undefined ? first : await startOfTail(file, first, tail);
    while (!signal?.aborted) {
      // Asked before the read: what was written until then is read below.
      const last = changes === undefined || changes.ended;
      const change = changes?.next();
      const { size } = await file.stat();
      if (size < offset) offset = 0;
      offset = Math.max(offset, startOfLog(file.fd)); // a slow reader misses what was trimmed meanwhile
      for (;;) {
        const chunk = await readAt(file, offset, chunkBytes);
        if (chunk.length === 0 || signal?.aborted) break;
        offset += chunk.length;
        yield chunk;
      }
      if (last) return;
      await change;
    }
  } finally {
    changes?.close();
    await file.close();
  }
}

/** Tells that a file may have been written to, or that there is no more to wait for. */
class Changes {
  readonly #watcher;
  readonly #onAbort = () => this.#end();
  readonly #signal: AbortSignal | undefined;
  #tell: () => void = () => {};
  /** True once the command has ended, or the reading has. */
  ended = false;

  constructor(path: string, { ended, signal }: ReadLogOptions) {
    this.#watcher = watch(path, () => this.#tell());
    this.#watcher.on("error", () => this.#end());
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
    ended?.then(this.#onAbort, this.#onAbort);
  }

  /** Resolves at the next change after this call. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#tell = resolve;
      if (this.ended) resolve();
    });
  }

  close(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#watcher.close();
  }

  #end(): void {
    this.ended = true;
    this.#tell();
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(chunk, 0, length, offset);
  return chunk.subarray(0, bytesRead);
}

/** Where the first whole line of what is left begins. */
async function firstLine(file: FileHandle): Promise<number> {
  const start = startOfLog(file.fd);
  if (start === 0) return 0;
  const { size } = await file.stat();
  for (let offset = start; offset < size; ) {
    const chunk = await readAt(file, offset, chunkBytes);
    const at = chunk.indexOf(0x0a);
    if (at >= 0) return offset + at + 1;
    if (chunk.length === 0) break;
    offset += chunk.length;
  }
  return start; // one line without an end
}

/** Where the last `lines` lines begin; an unfinished line at the end is one. */
async function startOfTail(file: FileHandle, first: number, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let left = lines;
  for (let end = size; end > first; ) {
    const from = Math.max(first, end - chunkBytes);
    const chunk = await readAt(file, from, end - from);
    for (let at = chunk.length - 1; at >= 0; at--) {
      // The newline that ends the log begins no line.
      if (chunk[at] === 0x0a && from + at + 1 < size && --left === 0) return from + at + 1;
    }
    end = from;
  }
  return first;
}
