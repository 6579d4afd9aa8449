import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type CrowdOptions, crowdName, idleCommand, makeCrowd, removeCrowd } from "./crowd.ts";
import { accountOf, assertHostHolds } from "./host-account.ts";
import { withDaemon } from "./test-daemon.ts";

/** A small part of what `npm run bench -- --only daemon` does. */
const running: CrowdOptions = { clients: 50, sandboxes: 50, networks: 2, command: idleCommand };
const recorded: CrowdOptions = { ...running, clients: 200, sandboxes: 2000, started: false };
const open: CrowdOptions = { clients: 200, sandboxes: 300, networks: 3, firstPort: 20_000 };

suite("a daemon with many clients", () => {
  test(`${running.clients} at once start commands, and end them`, () =>
    withDaemon(async (daemon) => {
      await makeCrowd(daemon, running);
      const account = await accountOf(daemon);
      assert.equal(account.sandboxes.filter(({ State }) => State.Running).length, running.sandboxes);
      await assertHostHolds(daemon, account);
      assert.equal((await daemon.ok("ps", "-q")).split("\n").length, running.sandboxes);
      await daemon.kill();
      await daemon.start();
      await assertHostHolds(daemon, account);
      await removeCrowd(daemon, running);
      await assertHostHolds(daemon, await accountOf(daemon));
    }));

  test(`${open.clients} at once make ${open.sandboxes} sandboxes with a port each, and a restart keeps them`, () =>
    withDaemon(async (daemon) => {
      await makeCrowd(daemon, open);
      const account = await accountOf(daemon);
      await assertHostHolds(daemon, account);
      await daemon.kill("SIGTERM");
      await daemon.start();
      assert.deepEqual(await accountOf(daemon), account);
      assert.deepEqual(await daemon.client.drift(), []);
      await removeCrowd(daemon, open);
      await assertHostHolds(daemon, await accountOf(daemon));
    }));

  test(`${recorded.sandboxes} that do not run are listed, each once, also after a restart`, () =>
    withDaemon(async (daemon) => {
      await makeCrowd(daemon, recorded);
      const wanted = Array.from({ length: recorded.sandboxes }, (_, i) => crowdName(i)).sort();
      const listed = async () => {
        const names = (await daemon.ok("ps", "-a", "--format", "{{.Names}}")).split("\n");
        return names.sort();
      };
      assert.deepEqual(await listed(), wanted);
      assert.equal(await daemon.ok("ps", "-q"), "");
      await daemon.kill();
      await daemon.start();
      assert.deepEqual(await listed(), wanted);
      await removeCrowd(daemon, recorded);
      await assertHostHolds(daemon, await accountOf(daemon));
    }));
});
