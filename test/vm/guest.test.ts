import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { until } from "../e2e/until.ts";
import { repositoryFolder } from "../fixture-file.ts";
import { debianKernel } from "./debian-kernel.ts";
import { runInGuest } from "./guest.ts";

const quiet = () => {};

/** A folder like the repository, with these files of tests, whose text needs no compiling. */
async function inCheckout(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-checkout-"));
  try {
    for (const one of ["test", "dist/test"]) mkdirSync(path.join(folder, one), { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(path.join(folder, "test", `${name}.test.ts`), text);
      writeFileSync(path.join(folder, "dist/test", `${name}.test.js`), text);
    }
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The runner, with what it prints. */
function runTests(folder: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const script = path.join(repositoryFolder(), "scripts/test.mjs");
  // Otherwise the runner believes that it is a file of tests itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [script, ...args], {
    cwd: folder,
    env: { ...env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => printed.push(chunk));
  const closed = once(child, "close").then(() => Buffer.concat(printed).toString());
  return { child, closed };
}

/** The guests that a process runs. */
function guestsOf({ pid }: Pick<ChildProcess, "pid">): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(isGuest);
}

/** Whether it is a guest that has not ended; one that has may stay in the list until somebody asks for its status. */
function isGuest(pid: string): boolean {
  try {
    const [, name = "", state] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return name.startsWith("qemu-system") && state !== "Z";
  } catch {
    return false;
  }
}

/** Writes to the machine's files as it sees them, and tells what it sees. */
const passing = (marker: string) => `
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname, networkInterfaces, tmpdir, release } from "node:os";
import { test } from "node:test";
test("a root of its own that can be written", () => {
  assert.match(release(), /^6\\..*-amd64$/);
  assert.equal(hostname(), "guest");
  assert.deepEqual(Object.keys(networkInterfaces()), ["lo"]);
  for (const folder of ["/etc", "/var/lib", tmpdir(), process.cwd()]) writeFileSync(folder + "/${marker}", "x");
  mkdirSync("/${marker}");
  console.log("seen from inside", process.env.WEFT_TEST_SETTING);
});
`;
const failing = `
import { test } from "node:test";
test("fails", () => { throw new Error("as it should"); });
`;

test("what fails in the guest fails the run, after its closing lines; what is written there stays there", async () => {
  const marker = `weft-guest-${process.pid}`;
  await inCheckout({ passing: passing(marker), failing }, async (folder) => {
    const { child, closed } = runTests(folder, ["--vm", "ing.test"], { WEFT_TEST_SETTING: "as 'told'" });
    const printed = await closed;
    assert.equal(child.exitCode, 1, printed);
    assert.match(printed, /2 files of tests in a guest with Linux 6\./);
    assert.match(printed, /✔ a root of its own that can be written/, printed);
    for (const line of [
      "ℹ tests 2",
      "ℹ pass 1",
      "ℹ fail 1",
      "seen from inside as 'told'",
      "Error: as it should",
    ])
      assert.ok(printed.includes(line), `${line}: ${printed}`);
    for (const place of ["/etc", "/var/lib", tmpdir(), folder, "/"])
      assert.ok(!existsSync(path.join(place, marker)), place);
  });
});

test("both halves run, each file in one of them, and the second fails where its kernel lacks something too", async () => {
  const dist = path.join(repositoryFolder(), "dist/test/needs-kernel.js");
  const plain = 'import { test } from "node:test";\ntest("ran in " + process.pid, () => {});\n';
  const needing = `import { needsKernel } from ${JSON.stringify(dist)};\n\nneedsKernel("802.1Q", "dummy");\n\n${plain}`;
  await inCheckout({ plain, needing }, async (folder) => {
    const { child, closed } = runTests(folder, []);
    const printed = await closed;
    assert.equal(child.exitCode, 0, printed);
    assert.equal(printed.match(/✔ ran in/g)?.length, 2, printed);
  });
});

test("a guest that is not done in time is killed, and the run fails with words that say so", async () => {
  const started = runInGuest(debianKernel(quiet), {
    command: ["sleep", "infinity"],
    folder: "/",
    limitMs: 100,
    output: quiet,
  });
  await assert.rejects(started, /^Error: the guest was killed: it was not done after 0\.1 seconds$/);
  assert.deepEqual(guestsOf(process), []);
});

test("a guest whose first program fails ends the run with words that say so", async () => {
  const kernel = debianKernel(quiet);
  let printed = "";
  const output = (chunk: Buffer) => {
    printed += String(chunk);
  };
  const broken = { ...kernel, image: path.join(kernel.folder, "no-such-image") };
  const command = { command: ["true"], folder: "/", limitMs: 60_000, output };
  await assert.rejects(runInGuest(broken, command), /^Error: qemu-system-x86_64 ended with 1$/);
  assert.match(printed, /no-such-image/);
});

test("a guest whose kernel panics ends the run with the last words of its console", async () => {
  const crash = ["sh", "-c", "echo c >/proc/sysrq-trigger"];
  const command = { command: crash, folder: "/", limitMs: 120_000, output: quiet };
  await assert.rejects(
    runInGuest(debianKernel(quiet), command),
    /^Error: the guest ended without an exit status; [\s\S]*Kernel panic - not syncing: sysrq triggered crash/,
  );
});

for (const signal of ["SIGINT", "SIGKILL"] as const)
  test(`nothing is left of a guest whose run is ended by ${signal}`, async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("weft-guest-"));
    await inCheckout({ endless: "setInterval(() => {}, 1000);" }, async (folder) => {
      const { child, closed } = runTests(folder, ["--vm", "endless"]);
      let guests: readonly string[] = [];
      await until("the guest runs", () => {
        guests = guestsOf(child);
        return guests.length > 0;
      });
      child.kill(signal);
      const printed = await closed;
      await until("the guest has ended", () => !guests.some(isGuest));
      assert.notEqual(child.exitCode, 0);
      if (signal === "SIGINT") assert.match(printed, /the guest was killed: the run was interrupted/);
    });
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith("weft-guest-"));
    assert.deepEqual(after, before);
  });
