import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

/**
 * A folder that is filled once and kept: what `fill` puts into an empty folder appears at `folder` when all of
 * it is there. A fill that throws leaves nothing; what a killed process left is removed by the next.
 */
export function keptFolder(folder: string, fill: (empty: string) => void): string {
  if (existsSync(folder)) return folder;
  mkdirSync(path.dirname(folder), { recursive: true });
  removeLeftovers(folder);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished);
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function removeLeftovers(folder: string): void {
  const prefix = `${path.basename(folder)}.`;
  for (const name of readdirSync(path.dirname(folder))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0;
    if (pid > 0 && (pid === process.pid || !existsSync(`/proc/${pid}`)))
      rmSync(path.join(path.dirname(folder), name), { recursive: true, force: true });
  }
}
