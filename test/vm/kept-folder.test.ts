import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { keptFolder } from "./kept-folder.ts";

function inTemporaryFolder(work: (folder: string, kept: string) => void): void {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-kept-folder-"));
  try {
    work(folder, path.join(folder, "cache", "kernel"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const put = (text: string) => (empty: string) => writeFileSync(path.join(empty, "file"), text);
const read = (folder: string) => readFileSync(path.join(folder, "file"), "utf8");

test("a folder is filled once, and found the next time", () => {
  inTemporaryFolder((_folder, kept) => {
    assert.equal(read(keptFolder(kept, put("first"))), "first");
    const refuse = () => assert.fail("it is there already");
    assert.equal(read(keptFolder(kept, refuse)), "first");
    assert.deepEqual(readdirSync(path.dirname(kept)), ["kernel"]);
  });
});

test("a fill that fails half-way leaves nothing, and the next one begins anew", () => {
  inTemporaryFolder((_folder, kept) => {
    const half = (empty: string) => {
      put("half")(empty);
      throw new Error("cut off");
    };
    assert.throws(() => keptFolder(kept, half), /cut off/);
    assert.deepEqual(readdirSync(path.dirname(kept)), []);
    assert.equal(read(keptFolder(kept, put("whole"))), "whole");
  });
});

test("what a killed process left is removed, and what a living one fills is left alone", () => {
  inTemporaryFolder((_folder, kept) => {
    const [dead, living] = [`${kept}.999999999`, `${kept}.${process.ppid}`];
    for (const unfinished of [dead, living]) mkdirSync(unfinished, { recursive: true });
    keptFolder(kept, put("whole"));
    assert.deepEqual(readdirSync(path.dirname(kept)).sort(), ["kernel", path.basename(living)].sort());
  });
});

test("of two that fill it at a time the first to end wins, and both get it", () => {
  inTemporaryFolder((_folder, kept) => {
    const slow = (empty: string) => {
      put("slow")(empty);
      // Another process ends while this one fills.
      mkdirSync(kept);
      put("fast")(kept);
    };
    assert.equal(read(keptFolder(kept, slow)), "fast");
    assert.deepEqual(readdirSync(path.dirname(kept)), ["kernel"]);
  });
});
