import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { closeFd, isKernelError, lockFile, writeLock } from "../../src/kernel/index.ts";

test("a file is locked by one at a time, and names its holder", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lock-"));
  const file = path.join(folder, "lock");
  try {
    const fd = lockFile(file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    writeLock(fd, 4_194_304);
    assert.throws(
      () => lockFile(file),
      (error) => isKernelError(error, "EWOULDBLOCK"),
    );
    writeLock(fd, 7);
    assert.equal(readFileSync(file, "utf8"), "7\n");
    closeFd(fd);
    closeFd(lockFile(file));
    assert.throws(
      () => lockFile(path.join(folder, "none", "lock")),
      (error) => isKernelError(error, "ENOENT"),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
