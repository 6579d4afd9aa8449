import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { withNetns } from "../netns-fixture.ts";
import { lines, linksIn } from "./test-host.ts";

function example(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
}

/** Runs `work` with a folder for the example's files; all of it is removed, and looked at for mounts first. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-example-"));
  try {
    await work(folder);
    assert.deepEqual(readdirSync(folder), []);
    const mounts = lines(readFileSync("/proc/self/mountinfo", "utf8"));
    assert.deepEqual(
      mounts.filter((line) => line.includes(folder)),
      [],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The processes, of all of this machine, whose temporary folder is `folder`. */
function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`TMPDIR=${folder}`)
      );
    } catch {
      return false; // gone meanwhile
    }
  });
}

suite("the examples", () => {
  test("first-sandbox prints what it joined, and leaves nothing", () =>
    withNetns(1, async ([host]) =>
      withFolder(async (folder) => {
        const root = join(folder, "weft");
        const child = host.start(process.execPath, [example("first-sandbox"), root], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        assert.ok(child.stdout);
        const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
        assert.equal(child.exitCode, 0);
        const mac = "[0-9a-f]{2}(:[0-9a-f]{2}){5}";
        const line = `^Joined endpoint Endpoint1 \\(${mac}\\) to sandbox container1 \\(${root}/run/netns/[0-9a-f]{12}\\)\n$`;
        assert.match(printed, new RegExp(line));
        assert.ok(!existsSync(root));
        assert.deepEqual(linksIn(host), ["lo"]);
        assert.equal(host.exec("nft", "list", "tables"), "");
      }),
    ));

  for (const demo of ["demo", "library-demo"])
    test(`${demo} succeeds, and leaves no mount, process or file`, () =>
      withNetns(1, async ([host]) =>
        withFolder(async (folder) => {
          const child = host.start(process.execPath, [example(demo)], {
            stdio: ["ignore", "pipe", "inherit"],
            env: { ...process.env, TMPDIR: folder },
          });
          assert.ok(child.stdout);
          const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
          assert.equal(child.exitCode, 0, printed);
          assert.deepEqual(processesOf(folder), []);
          assert.deepEqual(linksIn(host), ["lo"]);
          assert.equal(host.exec("nft", "list", "tables"), "");
        }),
      ));
});
