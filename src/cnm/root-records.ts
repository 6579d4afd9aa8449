import { type CheckedStore, checkStore, hasDatabase, restoreStore } from "../store/index.ts";
import { withRoot } from "./exclusive.ts";
import { Paths } from "./paths.ts";
import { schema } from "./schema.ts";

/**
 * Reads all records of a root folder, or of a backup's file, and changes nothing; a controller may be using
 * them. Throws SCHEMA_NEWER, and STORE with what to do.
 */
export function checkRecords(
  where: { readonly root: string } | { readonly backup: string },
): Promise<CheckedStore> {
  return checkStore({ path: "root" in where ? new Paths(where.root).store : where.backup, schema });
}

/** True when a root folder has records, whole or damaged. Throws what keeps the file from being looked at. */
export function hasRecords(root: string): boolean {
  return hasDatabase(new Paths(root).store);
}

/**
 * Puts the records of a backup in the place of a root folder's; the next controller that is opened there brings
 * the host to what they say. What was there is kept as `store/data.mdb.former`. Throws CONTROLLER_RUNNING while
 * a controller uses the folder, STORE, SCHEMA_NEWER and DISK_FULL; then nothing was changed.
 */
export function restoreRecords(backup: string, root: string): Promise<CheckedStore> {
  const paths = new Paths(root);
  return withRoot(paths, () => restoreStore(backup, { path: paths.store, schema }));
}
