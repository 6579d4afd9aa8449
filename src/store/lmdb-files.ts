import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The files that LMDB keeps in a database's folder. */
export const dataFile = "data.mdb";
export const lockFile = "lock.mdb";

/**
 * Where a page that tells of the whole file says what it is: its magic number, its version, its page size, the roots of
 * its two trees, and how many commits there were (struct MDB_meta of lmdb-js 3.5). The first two pages are such
 * pages, of two commits by turns.
 */
const header = {
  bytes: 160,
  magicAt: 24,
  versionAt: 28,
  pageSizeAt: 48,
  rootsAt: [88, 136],
  commitsAt: 152,
  magic: 0xbeefc0de,
  version: 2,
} as const;

/**
 * Makes what is missing of a database's folder (mode 0700) and files (0600), which LMDB would make
 * readable for others, and sees to it that a power cut cannot take them back. LMDB takes an empty
 * file for a new one. What is there already is left as it is.
 */
export function prepareFolder(path: string): void {
  const folder = resolve(path);
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  const missing = [dataFile, lockFile].map((name) => join(folder, name)).filter((file) => !existsSync(file));
  for (const file of missing) closeSync(openSync(file, "a", 0o600));
  if (missing.length > 0) syncFolder(folder);
  if (first === undefined) return;
  // Each new folder is an entry of its parent, up to the one that was there.
  for (let made = folder; made.length >= first.length; made = dirname(made)) syncFolder(dirname(made));
}

/**
 * Throws when the folder's files cannot be read and written, or the data file is none of LMDB's:
 * lmdb 3.5 does not survive a database that it cannot open, the process would end with SIGSEGV.
 * A file whose making was cut short has nothing in it yet, and is emptied, to be made anew.
 */
export function checkFiles(path: string): void {
  // Asked, not opened: to close any descriptor of this file gives up the locks that POSIX counts by
  // process, and with them LMDB's sign that another handle of this process is using the database.
  accessSync(join(path, lockFile), constants.R_OK | constants.W_OK);
  withFile(join(path, dataFile), "r+", (fd) => {
    if (fstatSync(fd).size > 0 && !isWhole(fd, dataFile)) ftruncateSync(fd);
  });
}

/** True when the folder's data file holds a database, whole or damaged; one whose making was cut short holds none. */
export function hasDatabase(path: string): boolean {
  const file = join(path, dataFile);
  if (!existsSync(file)) return false;
  try {
    return withFile(file, "r", (fd) => fstatSync(fd).size > 0 && isWhole(fd, dataFile));
  } catch {
    return true; // whoever reads it says what is wrong
  }
}

/** Throws unless the file at `path` begins as an LMDB database does, and is longer than its beginning. */
export function checkDataFile(path: string): void {
  withFile(path, "r", (fd) => {
    if (!isWhole(fd, path)) throw new Error(`${path} is not whole: its making was cut short`);
  });
}

/** False when the making of an LMDB file was cut short. Throws when it is none, or a part of it is missing. */
function isWhole(fd: number, name: string): boolean {
  const first = metaAt(fd, 0, name);
  const { size } = fstatSync(fd);
  // The two pages that come first are written in one go, before any commit.
  if (size < 2 * first.pageSize) {
    if (first.commits > 0n) throw new Error(`${name} is cut short: restore a backup`);
    return false;
  }
  const second = metaAt(fd, first.pageSize, name);
  const { roots, pageSize } = second.commits > first.commits ? second : first;
  const pages = BigInt(Math.floor(size / pageSize));
  // An empty tree has no root. Pages further down are not looked for: that is what the store's check is for.
  if (roots.some((root) => root !== noPage && root >= pages))
    throw new Error(`${name} is cut short: restore a backup`);
  return true;
}

const noPage = 2n ** 64n - 1n;

/** What one of a file's first two pages says of it. Throws when it is none of LMDB's. */
function metaAt(fd: number, at: number, name: string) {
  const bytes = Buffer.alloc(header.bytes);
  const read = readSync(fd, bytes, 0, header.bytes, at);
  // LMDB writes in the machine's byte order; all that it is built for here are little-endian.
  if (read < header.bytes || bytes.readUInt32LE(header.magicAt) !== header.magic) {
    throw new Error(`${name} is not an LMDB database: restore a backup`);
  }
  const version = bytes.readUInt16LE(header.versionAt);
  if (version !== header.version) {
    throw new Error(`${name} has LMDB's format ${version}, it should be ${header.version}`);
  }
  return {
    pageSize: bytes.readUInt32LE(header.pageSizeAt),
    roots: header.rootsAt.map((offset) => bytes.readBigUInt64LE(offset)),
    commits: bytes.readBigUInt64LE(header.commitsAt),
  };
}

/** Sees to it that a power cut cannot take back what a folder's entries are. */
export function syncFolder(path: string): void {
  withFile(path, "r", fsyncSync);
}

/** Sees to it that a power cut cannot take back what a file says. */
export function syncFile(path: string): void {
  withFile(path, "r+", fsyncSync);
}

function withFile<T>(path: string, flags: string, use: (fd: number) => T): T {
  const fd = openSync(path, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
