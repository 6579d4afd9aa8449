import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { LogQuery } from "../../api/index.ts";
import type { Id } from "../../core/index.ts";
import { logFile } from "./launched-runner.ts";
import type { SandboxRecord } from "./sandbox-record.ts";
export class CommandLogs {
  readonly #folderOf: (id: Id) => string;
  constructor({
    folderOf,
  }: { readonly folderOf: (id: Id) => string; records: unknown; clock: unknown; onError: unknown }) {
    this.#folderOf = folderOf;
  }
  read(record: SandboxRecord, _query: LogQuery): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#folderOf(record.id), logFile));
  }
  close(): void {}
}
