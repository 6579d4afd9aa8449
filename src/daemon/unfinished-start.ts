import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkRecords, hasRecords } from "../cnm/index.ts";
import type { Folders } from "./folders.ts";

/** Notes that a start is under way, in the folder of what does not survive a boot. */
export const startingFile = "starting";

/**
 * Notes that a start is under way; what this gives says that it has come to its end. Where the last one did not, the
 * records are read first, in a process of their own: LMDB may end by a signal whoever reads a damaged file, and a
 * supervisor's log would have nothing to say about why. Throws STORE, with what to do.
 */
export async function noteStart({ root, run }: Folders): Promise<() => void> {
  const file = join(run, startingFile);
  if (existsSync(file) && hasRecords(root)) await checkRecords({ root });
  writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}
