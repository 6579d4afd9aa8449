import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { withFolder } from "../api/http-fixture.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { type Ended, runWeft } from "./weft-program.ts";

/** A host of its own, and `weft` there. */
interface Daemon {
  readonly host: TestNetns;
  readonly folder: string;
  /** With the folders of this host's daemon, for the commands that take them. */
  readonly folders: readonly string[];
  weft(...argv: string[]): Promise<Ended>;
}

async function withHost(work: (daemon: Daemon) => Promise<void>): Promise<void> {
  await withNetns(1, ([host]) =>
    withFolder(async (folder) => {
      const run = path.join(folder, "run");
      const folders = ["--root", path.join(folder, "root"), "--run", run];
      const weft = (...argv: string[]) => runWeft(path.join(run, "weft.sock"), argv);
      try {
        await work({ host, folder, folders, weft });
      } finally {
        await weft("down", "--purge", ...folders, "--netns", host.path);
      }
    }),
  );
}

const nothing: Ended = { status: 0, stdout: "", stderr: "" };

test("up starts a daemon in the namespace asked for, down ends it, and up finds all again", () =>
  withHost(async ({ host, folders, weft }) => {
    const up = ["up", ...folders, "--netns", host.path];
    assert.deepEqual(await weft(...up), nothing);
    assert.equal((await weft("network", "create", "web")).status, 0);
    const listed = await weft("network", "ls", "--format", "{{.ID}} {{.Name}}");
    assert.match(host.exec("ip", "-br", "link"), /weft0/);
    assert.deepEqual(await weft("down", ...folders), nothing);
    assert.match((await weft("network", "ls")).stderr, /^weft: cannot reach the daemon at /);
    assert.deepEqual(await weft(...up), nothing);
    assert.deepEqual(await weft("network", "ls", "--format", "{{.ID}} {{.Name}}"), listed);
  }));

test("down --purge leaves nothing on the host, whether the daemon runs or not", () =>
  withHost(async ({ host, folder, folders, weft }) => {
    for (const downFirst of [false, true]) {
      assert.deepEqual(await weft("up", ...folders, "--netns", host.path), nothing);
      assert.equal(
        (await weft("run", "-d", "--name", "hello", "-p", "8080:80", "busybox", "sleep", "600")).status,
        0,
      );
      if (downFirst) assert.deepEqual(await weft("down", ...folders), nothing);
      assert.deepEqual(await weft("down", "--purge", ...folders, "--netns", host.path), nothing);
      assert.doesNotMatch(host.exec("ip", "-br", "link"), /weft|veth|br-/);
      assert.equal(host.exec("nft", "list", "ruleset"), "");
      for (const name of ["root", "run"]) assert.equal(existsSync(path.join(folder, name)), false, name);
    }
  }));

test("up says why a daemon does not start, and where its log is", () =>
  withHost(async ({ host, folder, folders, weft }) => {
    const config = path.join(folder, "weft.json");
    writeFileSync(config, '{"colour": 1}');
    const up = ["up", ...folders, "--netns", host.path];
    const refused = await weft(...up, "--config", config);
    assert.deepEqual([refused.status, refused.stderr], [1, `weft: ${config}: unknown key "colour"\n`]);
    const log = path.join(folder, "run/daemon.log");
    assert.equal(statSync(log).mode & 0o777, 0o640);
    assert.match(readFileSync(log, "utf8"), /unknown key/);
    assert.deepEqual(await weft("daemon", "--check-config", "--config", config), refused);
    assert.deepEqual(await weft("up", ...folders, "--netns", "/not/there"), {
      status: 1,
      stdout: "",
      stderr: "weft: open /not/there: ENOENT\n",
    });
  }));

test("a second daemon is refused, by the socket and by the root folder", () =>
  withHost(async ({ host, folder, folders, weft }) => {
    const up = ["up", ...folders, "--netns", host.path];
    assert.deepEqual(await weft(...up), nothing);
    const socket = path.join(folder, "run/weft.sock");
    assert.match(
      (await weft(...up)).stderr,
      new RegExp(`^weft: a daemon runs already at ${socket}, as process \\d+\n$`),
    );
    const other = await weft(
      "up",
      ...folders.slice(0, 2),
      "--run",
      path.join(folder, "other"),
      "--netns",
      host.path,
    );
    assert.equal(other.status, 1);
    assert.match(other.stderr, /^weft: another controller \(pid \d+\)/);
  }));

test("what is stored is backed up, checked and restored", () =>
  withHost(async ({ host, folder, folders, weft }) => {
    const up = ["up", ...folders, "--netns", host.path];
    const backup = path.join(folder, "store.bak");
    await weft(...up);
    await weft("network", "create", "web");
    assert.deepEqual(await weft("store", "backup", backup), nothing);
    await weft("network", "rm", "web");
    const busy = await weft("store", "restore", ...folders, backup);
    assert.deepEqual([busy.status, busy.stderr.split("(")[0]], [1, "weft: another controller "]);
    await weft("down", ...folders);
    assert.deepEqual(await weft("store", "restore", ...folders, backup), nothing);
    assert.match(
      (await weft("store", "check", "-f", "json", ...folders)).stdout,
      /^\{"schemaVersion":\d+,"revision":\d+,"entries":\d+\}\n$/,
    );
    await weft(...up);
    assert.match((await weft("network", "ls", "--format", "{{.Name}}")).stdout, /^web$/m);
  }));
