import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../store/temporary-folder.ts";

const program = fileURLToPath(new URL("./koffi-loading-program.js", import.meta.url));

test("a process that ends waits for its threads to have loaded koffi", (t) => {
  const file = join(temporaryFolder(t), "done");
  const { status, signal, stderr } = spawnSync(process.execPath, [program, file], { encoding: "utf8" });
  assert.deepEqual({ status, signal, stderr }, { status: 3, signal: null, stderr: "" });
  assert.equal(readFileSync(file, "utf8"), "loaded");
});

test("a process that ends while the resolver's thread starts ends with its own status", () => {
  const dns = new URL("../../src/dns/index.js", import.meta.url).href;
  const ends = [60, 70, 80, 90, 100, 110].map((ms) => {
    const source = `import { DnsService } from ${JSON.stringify(dns)}; DnsService.begin(); setTimeout(() => process.exit(3), ${ms});`;
    const { status, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", source]);
    return { ms, status, signal };
  });
  for (const { ms, status, signal } of ends)
    assert.deepEqual({ status, signal }, { status: 3, signal: null }, `after ${ms} ms`);
});
