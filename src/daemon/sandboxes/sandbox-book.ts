import { findByPrefix, type Id, shortId, WeftError } from "../../core/index.ts";
import type { RecordTable } from "../own-records.ts";
import type { SandboxRecord } from "./sandbox-record.ts";

/** The sandboxes' records with their names; a name is taken from the beginning of a making on. */
export class SandboxBook {
  readonly #table: RecordTable<SandboxRecord>;
  readonly #names = new Map<string, Id>();

  constructor(table: RecordTable<SandboxRecord>) {
    this.#table = table;
    for (const { name, id } of table.all()) this.#names.set(name, id);
  }

  /** All of them, in no order. */
  all(): Iterable<SandboxRecord> {
    return this.#table.all();
  }

  /** How many there are. */
  get size(): number {
    return this.#table.size;
  }

  get(id: Id): SandboxRecord | undefined {
    return this.#table.get(id);
  }

  /** The sandbox of an id, a name, or a unique beginning of an id. Throws SANDBOX_NOT_FOUND, AMBIGUOUS_ID. */
  find(reference: string): SandboxRecord {
    const named = this.#names.get(reference);
    const id = named ?? findByPrefix(this.#ids(), reference);
    const record = id === undefined ? undefined : this.#table.get(id);
    if (record === undefined) throw new WeftError("SANDBOX_NOT_FOUND", `no such sandbox: ${reference}`);
    return record;
  }

  /** The record of a sandbox that is known to have been there. Throws SANDBOX_NOT_FOUND when it was removed meanwhile. */
  need(id: Id): SandboxRecord {
    return this.#table.get(id) ?? this.find(id);
  }

  isTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** Takes a name. Throws SANDBOX_EXISTS. */
  claim(name: string, id: Id): void {
    const user = this.#names.get(name);
    if (user !== undefined) {
      throw new WeftError(
        "SANDBOX_EXISTS",
        `the sandbox name ${JSON.stringify(name)} is in use by sandbox ${shortId(user)}: remove that one or choose another name`,
      );
    }
    this.#names.set(name, id);
  }

  /** Gives a name back that was claimed for `id`. */
  unclaim(name: string, id: Id): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** Writes a record; it is seen once it is durable. */
  put(record: SandboxRecord): Promise<void> {
    return this.#table.put(record);
  }

  /** Removes a record and frees its name. */
  async delete({ id, name }: SandboxRecord): Promise<void> {
    await this.#table.delete(id);
    this.unclaim(name, id);
  }

  /** Shows what has happened to a sandbox, whether or not it can be written; {@link write} is to follow. */
  note(record: SandboxRecord): void {
    this.#table.note(record);
  }

  /** {@link note} of one that is no more; its name is free. */
  noteGone({ id, name }: SandboxRecord): void {
    this.#table.noteGone(id);
    this.unclaim(name, id);
  }

  /** Writes what was noted, if it is not written yet. */
  write(id: Id): Promise<void> {
    return this.#table.write(id);
  }

  *#ids(): Iterable<Id> {
    for (const { id } of this.#table.all()) yield id;
  }
}
