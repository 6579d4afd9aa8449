import assert from "node:assert/strict";
import { suite } from "node:test";
import { statusOf } from "../../../src/daemon/sandboxes/sandbox-view.ts";
import { Fault, FaultyStore } from "../../cnm/faults.ts";
import { type KeptSandboxes, keptTest, withCommand } from "./kept-sandboxes.ts";

const forever = new AbortController().signal;
const until = async (isSo: () => boolean) => {
  for (let turns = 0; turns < 200 && !isSo(); turns++) await new Promise(setImmediate);
  assert.ok(isSo());
};
const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
};

/** A disk that is full from the moment when a test says so, until it makes room. */
function fullDiskTest(
  name: string,
  use: (kept: KeptSandboxes, disk: { fill(): void; makeRoom(): void }) => Promise<void>,
): void {
  const fault = new Fault();
  const disk = { fill: () => fault.arm(1, "refused from then on"), makeRoom: () => fault.disarm() };
  keptTest(name, (kept) => use(kept, disk), { store: (store) => new FaultyStore(store, fault) });
}

suite("while the disk is full", () => {
  fullDiskTest(
    "a command that ends has ended, and that is written when there is room",
    async (kept, disk) => {
      await kept.keeper.create(withCommand("job", { Ports: ["8080:80"] }), { start: true });
      const status = kept.keeper.wait("job", forever);
      disk.fill();
      kept.commands.only().finish(3);
      assert.equal(await status, 3);
      assert.equal(statusOf(kept.record("job")), "exited");
      await assert.rejects(kept.keeper.kill("job", "SIGKILL"), { code: "SANDBOX_NOT_RUNNING" });
      const before = kept.clock.sleeps.length;
      for (let i = 0; i < 9; i++) {
        kept.clock.wakeAll();
        await turns();
      }
      const pauses = kept.clock.sleeps.slice(before);
      assert.deepEqual(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
      assert.equal(kept.errors.length, 1); // of the whole row
      assert.deepEqual(kept.modelled(), ["job"]);
      disk.makeRoom();
      kept.clock.wakeAll();
      await until(() => kept.modelled().length === 0);
      await kept.crash();
      assert.equal(kept.record("job").ending?.code, 3);
      assert.deepEqual(kept.modelled(), []);
    },
  );

  fullDiskTest("one that removes itself is gone, and stays so", async (kept, disk) => {
    const { id } = await kept.keeper.create(withCommand("once", { AutoRemove: true }), { start: true });
    const status = kept.keeper.wait("once", forever);
    disk.fill();
    kept.commands.only().finish(7);
    assert.equal(await status, 7);
    assert.throws(() => kept.record(id), { code: "SANDBOX_NOT_FOUND" });
    disk.makeRoom();
    kept.clock.wakeAll();
    await until(() => kept.modelled().length === 0);
    await kept.crash();
    assert.throws(() => kept.record(id), { code: "SANDBOX_NOT_FOUND" });
    await kept.keeper.create(withCommand("once"), { start: true });
  });

  fullDiskTest(
    "what is always to run waits until it can be recorded, and runs again then",
    async (kept, disk) => {
      await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
      disk.fill();
      kept.commands.only().finish(1);
      await until(() => statusOf(kept.record("web")) === "restarting");
      for (const delayMs of [100, 200, 400]) {
        await until(() => kept.record("web").lastDelayMs === delayMs);
        kept.clock.wakeAll();
        await turns();
        assert.equal(statusOf(kept.record("web")), "restarting");
        assert.equal(kept.commands.running.size, 0);
      }
      assert.equal(kept.record("web").restarts, 0);
      disk.makeRoom();
      kept.clock.wakeAll();
      await until(() => statusOf(kept.record("web")) === "running");
      assert.equal(kept.record("web").restarts, 1);
      await kept.crash();
      assert.equal(statusOf(kept.record("web")), "running");
      assert.equal(kept.commands.running.size, 1);
    },
  );

  fullDiskTest("a person's stop is one, and the last thing that a daemon writes", async (kept, disk) => {
    await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
    disk.fill();
    await kept.keeper.stop("web", 1);
    assert.equal(statusOf(kept.record("web")), "exited");
    disk.makeRoom();
    await kept.crash(); // it closes first
    assert.equal(statusOf(kept.record("web")), "exited");
    assert.deepEqual(kept.modelled(), []);
  });

  fullDiskTest("a kill for good is one", async (kept, disk) => {
    await kept.keeper.create(withCommand("web", { RestartPolicy: { Name: "always" } }), { start: true });
    disk.fill();
    await kept.keeper.kill("web", "SIGKILL");
    await until(() => statusOf(kept.record("web")) === "exited");
  });

  fullDiskTest("a start is refused, and works when there is room", async (kept, disk) => {
    await kept.keeper.create(withCommand("web"), { start: true });
    disk.fill();
    await assert.rejects(kept.keeper.restart("web", 1), { code: "STORE" });
    assert.equal(statusOf(kept.record("web")), "exited");
    assert.match(kept.record("web").ending?.error ?? "", /full/);
    await assert.rejects(kept.keeper.start("web"), { code: "STORE" });
    await assert.rejects(kept.keeper.create(withCommand("new"), { start: true }), { code: "STORE" });
    assert.throws(() => kept.record("new"), { code: "SANDBOX_NOT_FOUND" });
    assert.equal(kept.commands.running.size, 0);
    disk.makeRoom();
    await kept.keeper.start("web");
    kept.clock.wakeAll();
    await turns();
    assert.ok(kept.modelled().includes("web"));
    assert.equal(statusOf(kept.record("web")), "running");
  });
});
