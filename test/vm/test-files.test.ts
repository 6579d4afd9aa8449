import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { repositoryFolder } from "../fixture-file.ts";
import { divide, findTestFiles, kernelTests, neededFeatures, type TestFile } from "./test-files.ts";

test("what a file needs is read from its text, on one line or on several", () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    ['needsKernel("802.1Q");', ["802.1Q"]],
    ['import x;\n\nneedsKernel("IPVS", "nftables NAT");\n\ntest();', ["IPVS", "nftables NAT"]],
    ['needsKernel(\n  "IPVS",\n  "ESP",\n);\n', ["IPVS", "ESP"]],
    ['needsKernel("IPVS");\nneedsKernel("ESP");', ["IPVS", "ESP"]],
  ];
  for (const [text, needs] of rows) assert.deepEqual(neededFeatures("a.test.ts", text), needs, text);
});

test("what cannot be read, or is no feature that src/facts knows, is refused", () => {
  const rows: readonly (readonly [RegExp, string])[] = [
    [/a\.test\.ts: needsKernel\(…\) has to stand at the left margin/, '  needsKernel("IPVS");'],
    [/has to stand at the left margin/, 'needsKernel("IPVS"); needsKernel("ESP");'],
    [/needs "vlan" of the kernel, which src\/facts does not know/, 'needsKernel("vlan");'],
    [/needs names of the kernel/, "needsKernel(names);"],
  ];
  for (const [words, text] of rows) assert.throws(() => neededFeatures("a.test.ts", text), words);
});

test("files go where their kernel is, each to one of the two", () => {
  const file = (source: string, ...needs: TestFile["needs"]): TestFile => ({ source, compiled: "", needs });
  const files = [file("none"), file("here", "bridge"), file("there", "bridge", "IPVS"), file("esp", "ESP")];
  const names = (half: readonly TestFile[]) => half.map(({ source }) => source);
  const { host, guest } = divide(files, new Set(["IPVS", "ESP"]));
  assert.deepEqual(
    [names(host), names(guest)],
    [
      ["none", "here"],
      ["there", "esp"],
    ],
  );
  assert.deepEqual(names(divide(files, new Set()).host), names(files));
});

test("a file that was not compiled is refused, for nothing would run it", () => {
  const root = mkdtempSync(path.join(tmpdir(), "weft-test-files-"));
  try {
    for (const folder of ["test/deep", "dist/test"]) mkdirSync(path.join(root, folder), { recursive: true });
    writeFileSync(path.join(root, "test/a.test.ts"), "");
    writeFileSync(path.join(root, "dist/test/a.test.js"), "");
    writeFileSync(path.join(root, "test/deep/b.test.ts"), "");
    const found = findTestFiles(root, ["a.test"]);
    assert.deepEqual(found, [{ source: "test/a.test.ts", compiled: "dist/test/a.test.js", needs: [] }]);
    assert.throws(() => findTestFiles(root, []), /test\/deep\/b\.test\.ts is not compiled/);
    assert.deepEqual(findTestFiles(root, ["nothing"]), []);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("tests of the kernel are those that make a namespace, themselves or by what they import", () => {
  const root = repositoryFolder();
  const files = findTestFiles(root, []);
  const kernel = new Set(kernelTests(root, files).map(({ source }) => source));
  const some = ["e2e/nat", "facts/linux-facts", "facts/all-features", "runtime/launcher", "plan/rebuild"];
  for (const name of some) assert.ok(kernel.has(`test/${name}.test.ts`), name);
  for (const name of ["core/mac", "ipam/ledger", "store/key", "vm/test-files"])
    assert.ok(!kernel.has(`test/${name}.test.ts`), name);
});
