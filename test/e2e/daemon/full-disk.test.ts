import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isWeftError } from "../../../src/core/index.ts";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const stateOf = async (daemon: TestDaemon, name: string) => (await daemon.client.sandbox(name)).State;
const filler = ({ root }: TestDaemon) => join(root, "filler");

test("what ends while the disk is full has ended, and goes on as it should when there is room", () =>
  withDaemon(
    async (daemon) => {
      for (const [Name, policy] of [
        ["job", "no"],
        ["lasting", "always"],
      ] as const) {
        const request = {
          Name,
          Command: { Args: ["busybox", "sleep", "1000"] },
          RestartPolicy: { Name: policy },
          Labels: { l: "x".repeat(60_000) }, // for records so large the store has no free pages by chance
        };
        await daemon.client.createSandbox(request, { start: true });
      }
      await fill(daemon);
      for (const name of ["job", "lasting"]) process.kill((await stateOf(daemon, name)).Pid, "SIGKILL");
      assert.equal((await daemon.client.waitSandbox("job")).StatusCode, 137);
      assert.equal((await stateOf(daemon, "job")).Status, "exited");
      await until("it is to be started again", async () => {
        return (await stateOf(daemon, "lasting")).Status === "restarting";
      });
      await until("it could not be", () => /start a command again.*is full/.test(daemon.log()));
      assert.match(daemon.log(), /record what happened to sandbox .*is full/);
      rmSync(filler(daemon));
      await until("it runs again", async () => (await stateOf(daemon, "lasting")).Running);
      await until("the network of what ended is gone", async () => {
        return (await daemon.client.sandbox("job")).SandboxKey === "";
      });
    },
    { root: "disk/root", prepare: mountDisk },
  ));

/** A disk of a MiB for the daemon's root folder alone. */
function mountDisk({ folder }: TestDaemon): void {
  const disk = join(folder, "disk");
  mkdirSync(disk);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
}

/** Leaves no room, also not in pages that the store has and does not use. */
async function fill(daemon: TestDaemon): Promise<void> {
  const { bavail, bsize } = statfsSync(daemon.root);
  writeFileSync(filler(daemon), Buffer.alloc(bavail * bsize));
  for (const size of [50_000, 3_000, 1]) {
    for (let made = 0; ; made++) {
      const Labels = { l: "x".repeat(size) };
      const request = { Name: `n${size}-${made}`, ConfigOnly: true, Labels };
      try {
        await daemon.client.createNetwork(request);
      } catch (error) {
        assert.ok(isWeftError(error, "DISK_FULL"), String(error));
        break;
      }
    }
  }
}
