import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { withDaemon } from "./test-daemon.ts";

/** How many files the daemon may have open: some 60 are, and each published port is one. */
const most = 256;

test("what would take more descriptors than the daemon has is refused in words, leaves nothing, and harms nobody", () =>
  withDaemon(async (daemon) => {
    await daemon.ok("run", "-d", "--name", "before", "-p", "19999:80", "busybox", "sleep", "1000");
    execFileSync("prlimit", ["--pid", String(daemon.pid), `--nofile=${most}:${most}`]);
    const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    const held = descriptors();
    const many = ["run", "-d", "--name", "many", "-p", "20000-20299:20000-20299", "busybox", "sleep", "1000"];
    for (let round = 0; round < 3; round++) {
      const { status, stderr } = await daemon.weft(...many);
      assert.equal(status, 125);
      assert.match(stderr, /^weft: socket [^\n]* EMFILE \(.*LimitNOFILE=.*\)\n$/);
      assert.deepEqual(await daemon.client.drift(), []);
    }
    // What a first refusal opened to stay, such as a thread's, is not opened again.
    assert.ok(descriptors() < held + 20, `${held} descriptors, and then ${descriptors()}`);
    await daemon.ok(
      "run",
      "-d",
      "--name",
      "few",
      "-p",
      "20000-20009:20000-20009",
      "busybox",
      "sleep",
      "1000",
    );
    const names = (await daemon.client.sandboxes()).map(({ Name }) => Name);
    assert.deepEqual(names.sort(), ["before", "few"]);
    // The next daemon has the limit that all programs have.
    await daemon.kill();
    await daemon.start();
    await daemon.ok("rm", "-f", "few");
    await daemon.ok(...many);
  }));
