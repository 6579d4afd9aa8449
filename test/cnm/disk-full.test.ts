import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Controller, checkRecords, restoreRecords } from "../../src/cnm/index.ts";
import { isWeftError } from "../../src/core/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { smallDisk } from "../store/small-disk.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";

test("on a full disk changes are refused, nothing is lost, and the service goes on", async (t) => {
  const disk = smallDisk(t, 512);
  await withNetns(1, async ([host]) => {
    const root = join(disk, "root");
    const options = { root, hostNetns: host.path, drivers: { bridge: {} } };
    let controller = await Controller.open(options);
    try {
      const network = await controller.createNetwork("bridge", "first");
      const sandbox = await controller.createSandbox("c1", { endpoints: [{ network }] });
      await controller.idle();
      fill(disk);
      const own = controller.own("mine");
      const grow = () => own.transact((tx) => tx.put("large", "x".repeat(400_000)));
      await assert.rejects(grow, isFull);
      assert.equal(own.get("large"), undefined);
      // Many networks do not fit either, and leave nothing where they did not.
      let made = 0;
      try {
        for (; ; made++)
          await controller.createNetwork("bridge", `n${made}`, { labels: { l: "x".repeat(8000) } });
      } catch (error) {
        assert.ok(isFull(error), String(error));
      }
      assert.equal(controller.networks().length, made + 1);
      assert.deepEqual(await controller.drift(), []);
      assert.equal(sandbox.endpoints().length, 1);
      await assert.rejects(controller.backup(join(disk, "backup")), isFull);
      const elsewhere = join(temporaryFolder(t), "backup");
      await controller.backup(elsewhere);
      assert.ok((await checkRecords({ backup: elsewhere })).entries > made);
      rmSync(join(disk, "filler"));
      await controller.createNetwork("bridge", "after");
      await grow();
      await sandbox.delete();
      await controller.close();
      controller = await Controller.open(options);
      assert.equal(controller.networks().length, made + 2);
      assert.equal(controller.sandboxes().length, 0);
      assert.deepEqual(await controller.drift(), []);
    } finally {
      await controller.purge();
    }
    assert.deepEqual(readdirSync(disk), []);
  });
});

test("a backup brings records back, on the host too", async (t) => {
  await withNetns(1, async ([host]) => {
    const folder = temporaryFolder(t);
    const root = join(folder, "root");
    const backup = join(folder, "backup");
    const options = { root, hostNetns: host.path, drivers: { bridge: {} } };
    let controller = await Controller.open(options);
    try {
      await controller.createNetwork("bridge", "kept");
      await controller.backup(backup);
      await controller.network("kept").delete();
      await controller.createNetwork("bridge", "forgotten");
      await controller.idle();
      await assert.rejects(restoreRecords(backup, root), { code: "CONTROLLER_RUNNING" });
      await controller.close();
      const before = await checkRecords({ root });
      const { entries } = await restoreRecords(backup, root);
      assert.equal(entries, before.entries);
      assert.deepEqual(await checkRecords({ root }), await checkRecords({ backup }));
      controller = await Controller.open(options);
      assert.deepEqual(
        controller.networks().map(({ name }) => name),
        ["kept"],
      );
      assert.deepEqual(await controller.drift(), []);
      assert.deepEqual((await controller.network("kept").info()).state, "ready");
    } finally {
      await controller.purge();
    }
    assert.equal(existsSync(root), false);
  });
});

function isFull(error: unknown): boolean {
  return isWeftError(error, "DISK_FULL") && /make room and try again/.test(error.message);
}

/** Leaves no room on a disk. */
function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize));
}
