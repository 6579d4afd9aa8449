import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { findProgram } from "../peers/programs.ts";
import { type DiskFile, memoryDisk } from "./memory-disk.ts";

test("cpio unpacks what was packed, whatever the lengths of names and contents", () => {
  const files: readonly DiskFile[] = [
    { name: "folder", content: "folder" },
    ...["", "a", "ab", "abc", "abcd", "\0\n".repeat(4000)].map((content, i) => ({
      name: `folder/${"n".repeat(i + 1)}`,
      content: Buffer.from(content),
    })),
  ];
  const folder = mkdtempSync(path.join(tmpdir(), "weft-memory-disk-"));
  try {
    const { status, stderr } = spawnSync(findProgram("busybox"), ["cpio", "-i"], {
      cwd: folder,
      input: memoryDisk(files),
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    for (const { name, content } of files) {
      const file = path.join(folder, name);
      assert.equal(statSync(file).mode & 0o777, 0o755, name);
      if (content === "folder") assert.ok(statSync(file).isDirectory());
      else assert.deepEqual(readFileSync(file), content, name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
