import { open, rename, rm } from "node:fs/promises";

/**
 * Writes a file of all `chunks`, which its owner alone may read, or leaves what was there: it takes the name when all
 * of it is on the disk. Throws Node's errors, and what `chunks` throws.
 */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${path}.part-${process.pid}`;
  const file = await open(partial, "wx", 0o600);
  try {
    try {
      for await (const chunk of chunks) await file.write(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
