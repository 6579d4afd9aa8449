import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { schema } from "../../../src/cnm/schema.ts";
import { LmdbStore } from "../../../src/store/index.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const names = async ({ client }: TestDaemon) => (await client.networks()).map(({ Name }) => Name).sort();
const data = ({ root }: TestDaemon) => join(root, "store/data.mdb");

/** What `weft up` says when the daemon will not start. */
async function refusal(daemon: TestDaemon): Promise<string> {
  const { status, stderr } = await daemon.weft("up", "--netns", daemon.netns.path, ...daemon.folders);
  assert.equal(status, 1);
  assert.match(stderr, /^weft: [^\n]+\n$/);
  return stderr;
}

/** What a daemon says that a supervisor, as systemd, starts again when a signal has ended it before it was ready. */
async function refusalAfterSignal(daemon: TestDaemon): Promise<string> {
  writeFileSync(join(daemon.run, "starting"), "");
  const { status, stderr } = await daemon.weft("daemon", "--netns", daemon.netns.path, ...daemon.folders);
  assert.equal(status, 1);
  return stderr;
}

suite("the care for a host", () => {
  test("what somebody took away is found, and brought back", () =>
    withDaemon(
      async (daemon) => {
        // Nothing is put right by itself here: the command is to do it.
        const config = join(daemon.folder, "config.json");
        writeFileSync(config, JSON.stringify({ "weft-self-repair": false }));
        await daemon.start("--config", config);
        await daemon.ok("run", "-d", "--name", "web", "-p", "8080:80", "busybox", "sleep", "1000");
        assert.equal(await daemon.ok("drift"), "");
        const rules = daemon.netns.exec("nft", "list", "ruleset");
        daemon.netns.exec("nft", "flush", "ruleset");
        const found = await daemon.weft("drift");
        assert.equal(found.status, 1);
        assert.match(found.stdout, /missing +nft-table host inet weft/);
        assert.match(await daemon.ok("drift", "--repair"), /^mended nft-table host inet weft$/m);
        assert.equal(await daemon.ok("drift"), "");
        assert.equal(daemon.netns.exec("nft", "list", "ruleset"), rules);
      },
      { started: false },
    ));

  test("a backup brings back what was there, and a damaged or newer store is refused", () =>
    withDaemon(async (daemon) => {
      const backup = join(daemon.folder, "backup");
      await daemon.ok("network", "create", "before");
      await daemon.ok("run", "-d", "--name", "web", "--network", "before", "busybox", "sleep", "1000");
      await daemon.ok("store", "backup", backup);
      await daemon.ok("network", "create", "after");
      const checked = JSON.parse(await daemon.ok("store", "check", ...daemon.folders, "--format", "json"));
      assert.ok(checked.entries > 5);
      const running = await daemon.weft("store", "restore", ...daemon.folders, backup);
      assert.equal(running.status, 1);
      assert.match(running.stderr, new RegExp(`pid ${daemon.pid}`));
      await daemon.kill("SIGTERM");
      await daemon.ok("store", "restore", ...daemon.folders, backup);
      await daemon.start();
      assert.deepEqual(await names(daemon), ["before", "bridge", "host", "none"]);
      assert.deepEqual(await daemon.client.drift(), []);
      assert.equal((await daemon.client.sandbox("web")).State.Running, true);
      for (const name of ["more", "and-more"]) await daemon.ok("network", "create", name);
      await daemon.kill("SIGTERM");

      const whole = join(daemon.folder, "whole");
      copyFileSync(data(daemon), whole);
      writeFileSync(data(daemon), Buffer.alloc(100_000, 7));
      assert.match(await refusal(daemon), /is not an LMDB database: restore a backup$/m);
      writeFileSync(data(daemon), readFileSync(whole).subarray(0, 5000));
      assert.match(await refusal(daemon), /is cut short: restore a backup$/m);
      // What only reading finds; some of it has LMDB end the daemon by a signal.
      writeFileSync(data(daemon), readFileSync(whole).fill(7, 2 * 4096));
      assert.match(await refusal(daemon), /it is damaged: restore a backup$/m);
      writeFileSync(data(daemon), readFileSync(whole).fill(0x55, 2 * 4096));
      assert.match(await refusal(daemon), /is damaged: .*restore a backup$/m);
      assert.match(
        await refusalAfterSignal(daemon),
        /^weft: the store at \S+ is damaged: .*restore a backup$/m,
      );
      const { status, stderr } = await daemon.weft("store", "check", ...daemon.folders);
      assert.equal(status, 1);
      assert.match(stderr, /damaged/);

      copyFileSync(whole, data(daemon));
      const later = {
        version: schema.version + 1,
        migrations: [{ from: schema.version, migrate: () => {} }],
      };
      const former = { ...schema, ...later, migrations: [...schema.migrations, ...later.migrations] };
      await (await LmdbStore.open({ path: join(daemon.root, "store"), schema: former })).close();
      assert.match(
        await refusal(daemon),
        /newer than version .*: use the weft that wrote it, or a later one/,
      );
      copyFileSync(whole, data(daemon));
      await daemon.start();
    }));

  test("on a full disk a change is refused, nothing is lost, and what runs is served", () =>
    withDaemon(
      async (daemon) => {
        await daemon.ok("run", "-d", "--name", "web", "busybox", "sleep", "1000");
        fill(daemon.root);
        let made = 0;
        for (; ; made++) {
          const labels = { large: "x".repeat(20_000) };
          const full = await daemon.client.createNetwork({ Name: `n${made}`, Labels: labels }).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (full === undefined) continue;
          assert.match(String(full), /no space|full/i);
          break;
        }
        assert.equal((await names(daemon)).length, 3 + made);
        const refused = await daemon.weft(
          "run",
          "-d",
          "--name",
          "more",
          "-l",
          `l=${"x".repeat(20_000)}`,
          "true",
        );
        assert.equal(refused.status, 125);
        assert.equal(await daemon.ok("exec", "web", "echo", "hello"), "hello");
        assert.match(await daemon.ok("ps"), /web/);
        await daemon.kill();
        await daemon.start();
        assert.equal((await names(daemon)).length, 3 + made);
        rmSync(join(daemon.root, "filler"));
        await daemon.ok("network", "create", "again");
        await daemon.ok("rm", "-f", "web");
      },
      {
        root: "disk/root",
        prepare: ({ folder }) => {
          const disk = join(folder, "disk");
          mkdirSync(disk);
          execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]);
        },
      },
    ));
});

/** Leaves no room on a file system. */
function fill(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, "filler"), Buffer.alloc(Math.max(0, bavail - 4) * bsize));
}
