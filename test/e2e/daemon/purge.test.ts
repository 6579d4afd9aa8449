import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { WeftProcess } from "../../cli/weft-program.ts";
import { withHost } from "../../readme/typing-host.ts";
import { withDaemon } from "./test-daemon.ts";

suite("what weft down --purge must not remove", () => {
  test("the usual folders, when others were meant and nobody answers there", () =>
    // On a host whose /var/lib and /run are its own: what goes wrong here would remove them.
    withHost(async ({ "": shell }) => {
      await shell?.type("mkdir /var/lib/weft /run/weft");
      for (const [line, socket] of [
        ["-H /no/such.sock down --purge", "/no/such.sock"],
        ["-H /no/such.sock down --purge --root /srv", "/no/such.sock"],
        ["down --purge --root /srv", "/run/weft/weft.sock"],
        ["down --purge --run /srv", "/srv/weft.sock"],
      ]) {
        assert.deepEqual(await shell?.type(`weft ${line}`), {
          status: 1,
          printed: `weft: no daemon runs at ${socket}: name the folders to remove what it left, by --root and --run\n`,
        });
        assert.equal((await shell?.type("ls -d /var/lib/weft /run/weft"))?.status, 0, line);
      }
      assert.equal((await shell?.type("weft down --purge"))?.status, 0);
      assert.notEqual((await shell?.type("ls -d /var/lib/weft /run/weft"))?.status, 0);
    }));

  test("the folders of a daemon that runs, but by that daemon's own socket", () =>
    withDaemon(async (daemon) => {
      await daemon.ok("run", "-d", "--name", "box", "busybox", "sleep", "1000");
      // Its root folder is named with another run folder, where no daemon answers.
      const other = join(daemon.folder, "other");
      const refused = await new WeftProcess(join(other, "weft.sock"), [
        ...["down", "--purge", "--root", daemon.root, "--run", other, "--netns", daemon.netns.path],
      ]).end();
      assert.equal(refused.status, 1);
      assert.match(refused.stderr, new RegExp(`^weft: another controller \\(pid ${daemon.pid}\\)`, "m"));
      assert.equal((await daemon.client.sandbox("box")).State.Running, true);
      assert.equal(await daemon.ok("drift"), "");
      // A root folder of its own, and the namespace of the daemon that runs.
      const empty = await new WeftProcess(join(other, "weft.sock"), [
        ...["down", "--purge", "--root", join(other, "root"), "--run", other, "--netns", daemon.netns.path],
      ]).end();
      assert.equal(empty.status, 1);
      assert.match(empty.stderr, new RegExp(`^weft: another controller \\(pid ${daemon.pid}\\)`, "m"));
      assert.equal((await daemon.client.sandbox("box")).State.Running, true);
      assert.equal(await daemon.ok("drift"), "");
    }));

  test("files that are no weft's", () =>
    withDaemon(
      async (daemon) => {
        const folder = join(daemon.folder, "somebodys");
        mkdirSync(folder);
        writeFileSync(join(folder, "thesis.txt"), "years of work");
        for (const folders of [
          ["--root", folder, "--run", join(daemon.folder, "new-run")],
          ["--root", join(daemon.folder, "new-root"), "--run", folder],
        ]) {
          const down = await daemon.weft("down", "--purge", ...folders, "--netns", daemon.netns.path);
          assert.deepEqual(
            [down.status, down.stderr],
            [1, `weft: ${folder} is no folder of weft's: it holds thesis.txt\n`],
          );
          assert.equal(existsSync(join(folder, "thesis.txt")), true);
          assert.equal(existsSync(join(folder, "store")), false, "nothing was put there either");
        }
      },
      { started: false },
    ));

  test("files that are no weft's in the folders of a daemon, which goes on", () =>
    withDaemon(async (daemon) => {
      const stranger = join(daemon.root, "weft.bak");
      writeFileSync(stranger, "a backup");
      const down = await daemon.weft("down", "--purge", ...daemon.folders);
      assert.deepEqual(
        [down.status, down.stderr],
        [1, `weft: ${daemon.root} is no folder of weft's: it holds weft.bak\n`],
      );
      assert.equal((await daemon.client.info()).Pid, daemon.pid);
      rmSync(stranger);
    }));
});
