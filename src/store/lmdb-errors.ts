import { statfsSync } from "node:fs";
import { isWeftError, messageOf, WeftError } from "../core/index.ts";

/** Runs `read`, and names the store and what could not be done with it when LMDB or a file call throws. */
export function storing<T>(path: string, verb: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw storeError(path, verb, cause);
  }
}

/** As {@link storing}, for what takes its time. */
export async function storingLater<T>(path: string, verb: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw isWeftError(cause) ? cause : storeError(path, verb, cause);
  }
}

/** A STORE error, or DISK_FULL when that is why: "the store at PATH could not VERB: why". */
export function storeError(path: string, verb: string, cause: unknown): WeftError {
  const failed = `the store at ${path} could not ${verb}: `;
  if (isDiskFull(path, cause)) {
    const advice = "the disk is full; nothing was lost: make room and try again";
    return new WeftError("DISK_FULL", failed + advice, { cause, details: { path } });
  }
  const why = messageOf(cause);
  const advice = damageWords.test(why) ? ": it is damaged: restore a backup" : "";
  return new WeftError("STORE", failed + why + advice, { cause, details: { path } });
}

/** How LMDB's words begin when pages are not what they should be (mdb_strerror). */
const damageWords = /^MDB_(PAGE_NOTFOUND|CORRUPTED|PANIC|INVALID|BAD_TXN)\b/;

/** Why a commit failed: lmdb rejects with an error that only leads to a promise of the real one. */
export async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && "commitError" in error && error.commitError instanceof Promise))
    return error;
  return error.commitError.then(
    () => error,
    (cause: unknown) => cause,
  );
}

/** Errno numbers of include/uapi/asm-generic/errno-base.h and errno.h, by which lmdb tells of them. */
const EIO = 5;
const ENOSPC = 28;
const EDQUOT = 122;

/** The room below which a write that was cut short is put down to that, bytes. */
const noRoom = 64 * 1024;

function isDiskFull(path: string, cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === ENOSPC || code === EDQUOT || code === "ENOSPC" || code === "EDQUOT") return true;
  if (messageOf(cause).includes("No space left on device")) return true;
  // The last write that still finds some room is cut short by Linux, which LMDB calls an input/output error.
  return code === EIO && freeBytes(path) < noRoom;
}

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
