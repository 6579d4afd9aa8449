import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { closeOnExecBelow } from "../../src/kernel/index.ts";
import * as sys from "../../src/kernel/syscalls.ts";

test("what a program is started with holds no file below the folder, and what lies beside it stays", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "close-on-exec-"));
  const fds = ["kept/file", "kept-not"].map((name) => {
    execFileSync("install", ["-D", "/dev/null", path.join(folder, name)]);
    const fd = sys.open(path.join(folder, name), sys.O_RDWR, 0);
    sys.setCloseOnExec(fd, false);
    return fd;
  });
  try {
    const held = () => execFileSync("ls", ["-l", "/proc/self/fd"], { encoding: "utf8" });
    assert.match(held(), /kept\/file/);
    closeOnExecBelow(path.join(folder, "kept"));
    assert.doesNotMatch(held(), /kept\/file/);
    assert.match(held(), /kept-not/);
  } finally {
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});
