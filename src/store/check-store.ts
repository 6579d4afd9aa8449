import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WeftError } from "../core/index.ts";
import type { CheckAnswer, CheckedStore } from "./checked-store.ts";
import { storingLater } from "./lmdb-errors.ts";
import { checkDataFile, dataFile, lockFile } from "./lmdb-files.ts";
import type { LmdbStoreOptions } from "./lmdb-store.ts";
import { checkSchema, migrationsFrom } from "./schema.ts";

/**
 * Reads every entry of a store, the folder of one or the file of a backup, and changes nothing; the store may
 * be in use. Throws SCHEMA_NEWER when a later weft wrote it, and STORE, with what to do, when it is none or is
 * damaged.
 */
export async function checkStore({ path, schema }: LmdbStoreOptions): Promise<CheckedStore> {
  checkSchema(schema);
  const file = await storingLater(path, "be read", async () => {
    const data = statSync(path).isDirectory() ? join(path, dataFile) : path;
    checkDataFile(data);
    return resolve(data);
  });
  const checked = await readApart(path, file);
  migrationsFrom(checked.schema, schema, path);
  return checked;
}

/** LMDB does not survive reading what is damaged, so another process does that. */
async function readApart(path: string, file: string): Promise<CheckedStore> {
  const folder = mkdtempSync(join(tmpdir(), "weft-check-"));
  try {
    symlinkSync(file, join(folder, dataFile));
    // Whoever writes the store sees by this that it is read, and keeps what is.
    const lock = join(resolve(path), lockFile);
    if (existsSync(lock)) symlinkSync(lock, join(folder, lockFile));
    const answer = await ask(folder);
    if (!("error" in answer)) return answer;
    const why = answer.error.replace(/^it is damaged: |(: it is damaged)?: restore a backup$/g, ""); // said once
    throw new WeftError("STORE", `the store at ${path} is damaged: ${why}: restore a backup`, {
      details: { path },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(folder: string): Promise<CheckAnswer> {
  // Compiled, this file has the program beside it; tsc leaves URLs as they are.
  const program = fileURLToPath(new URL("./check-program.js", import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(child, "close"); // rejects when it could not be started
  if (child.signalCode !== null) return { error: `reading it ended by ${child.signalCode}` };
  if (!output.endsWith("\n")) return { error: `reading it ended with status ${child.exitCode}` };
  return JSON.parse(output);
}
