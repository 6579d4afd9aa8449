import { WeftError } from "../core/index.ts";
import type { Transaction } from "./store.ts";

/** Takes a store from one schema version to the next. */
export interface Migration {
  /** The version it starts from; it ends at `from + 1`. */
  readonly from: number;
  /** Rewrites what the version changes. Runs in one transaction, together with the change of version. */
  migrate(transaction: Transaction): void;
}

/** What the program knows of how its records are written. */
export interface Schema {
  /** The version that the program writes: 1, 2, 3... */
  readonly version: number;
  /** One for each version that stores in the field may still have. */
  readonly migrations: readonly Migration[];
}

/** Throws INTERNAL when the program's own schema makes no sense. */
export function checkSchema(schema: Schema): void {
  if (!isVersion(schema.version)) throw defect(`its version ${schema.version} is not 1 or more`);
  const seen = new Set<number>();
  for (const { from } of schema.migrations) {
    if (!isVersion(from) || from >= schema.version) throw defect(`it has a migration from version ${from}`);
    if (seen.has(from)) throw defect(`it has two migrations from version ${from}`);
    seen.add(from);
  }
}

/**
 * The migrations that lead from `stored` to the schema's version, in order. Throws SCHEMA_NEWER when
 * the store is ahead of the program, STORE when it is so old that a migration is missing.
 */
export function migrationsFrom(stored: number, schema: Schema, path: string): readonly Migration[] {
  if (stored > schema.version) {
    throw new WeftError(
      "SCHEMA_NEWER",
      `the store at ${path} has schema version ${stored}, newer than version ${schema.version}, which this weft knows: use the weft that wrote it, or a later one`,
      { details: { path, stored, supported: schema.version } },
    );
  }
  const steps: Migration[] = [];
  for (let version = stored; version < schema.version; version++) {
    const step = schema.migrations.find((migration) => migration.from === version);
    if (step === undefined) {
      throw new WeftError(
        "STORE",
        `the store at ${path} has schema version ${stored}, and this weft knows no way from version ${version} to ${version + 1}`,
        { details: { path, stored, supported: schema.version } },
      );
    }
    steps.push(step);
  }
  return steps;
}

/** True for a number that a schema version can be. */
export function isVersion(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function defect(what: string): WeftError {
  return new WeftError("INTERNAL", `the store's schema is wrong: ${what}`);
}
