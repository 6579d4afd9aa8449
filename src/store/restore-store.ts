import { chmodSync, copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkStore } from "./check-store.ts";
import type { CheckedStore } from "./checked-store.ts";
import { storingLater } from "./lmdb-errors.ts";
import { dataFile, lockFile, prepareFolder, syncFile, syncFolder } from "./lmdb-files.ts";
import type { LmdbStoreOptions } from "./lmdb-store.ts";

/** The name that what a restored backup took the place of has in the store's folder. */
export const formerFile = "data.mdb.former";

/**
 * Puts the backup in the file `from` in the place of the store at `path`, which nobody may be using. What was
 * there is kept beside it as {@link formerFile}, in place of one that is there from before. It happens whole,
 * and is durable, or not at all. Throws STORE and SCHEMA_NEWER when the backup is not in order, and DISK_FULL.
 */
export async function restoreStore(from: string, { path, schema }: LmdbStoreOptions): Promise<CheckedStore> {
  await storingLater(from, "be restored", async () => {
    if (statSync(from).isDirectory()) throw new Error("it is a folder: a backup is a file");
  });
  const checked = await checkStore({ path: from, schema });
  await storingLater(path, "be restored", async () => {
    prepareFolder(path);
    const current = join(path, dataFile);
    const former = join(path, formerFile);
    const copy = join(path, "data.mdb.restored");
    try {
      copyFileSync(from, copy);
      chmodSync(copy, 0o600);
      syncFile(copy);
      rmSync(former, { force: true });
      if (existsSync(current)) linkSync(current, former);
      renameSync(copy, current);
    } finally {
      rmSync(copy, { force: true });
    }
    rmSync(join(path, lockFile), { force: true }); // it speaks of readers of the other file
    syncFolder(path);
  });
  return checked;
}
