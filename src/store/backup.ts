import { chmodSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { WeftError } from "../core/index.ts";
import type { LmdbDatabase } from "./lmdb-database.ts";
import { storingLater } from "./lmdb-errors.ts";
import { dataFile, syncFile, syncFolder } from "./lmdb-files.ts";

/** What {@link Store.backup} says, for a database. The copy is made beside the file and gets its name when it is whole. */
export function writeBackup(database: LmdbDatabase, file: string): Promise<void> {
  const target = resolve(file);
  return storingLater(database.path, `be backed up to ${target}`, async () => {
    const folder = mkdtempSync(join(dirname(target), ".weft-backup-")); // mode 0700
    const copy = join(folder, dataFile);
    try {
      await database.copyTo(folder);
      chmodSync(copy, 0o600);
      syncFile(copy);
      giveName(copy, target);
      syncFolder(dirname(target));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** A link never takes the place of what is there. */
function giveName(copy: string, target: string): void {
  try {
    linkSync(copy, target);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new WeftError("FILE_EXISTS", `${target} is there already: name another file for the backup`);
  }
}
