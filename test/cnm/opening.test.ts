import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Controller, type ControllerEvent } from "../../src/cnm/index.ts";
import { isWeftError } from "../../src/core/index.ts";
import { isMountPoint, unmountPrivateFolder } from "../../src/kernel/netns.ts";
import { LmdbStore } from "../../src/store/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";

/** A folder for the roots of controllers; what they mounted is unmounted with it. */
async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-open-"));
  try {
    await body(folder);
  } finally {
    for (const name of readdirSync(folder)) unmountPrivateFolder(join(folder, name, "run"));
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Said {
  readonly open?: boolean;
  readonly code?: string;
  readonly message?: string;
}

/** Starts another process that opens a controller, and gives it with what it says. */
async function openElsewhere(root: string, netns: string, user = "0") {
  const program = fileURLToPath(new URL("./open-program.js", import.meta.url));
  const child = spawn(process.execPath, [program, root, netns, user], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const said = JSON.parse(String(line)) as Said; // as open-program.ts writes it
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  if (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGKILL");
    await ended;
  }
}

test("a second controller is refused with the first one's process id, in its namespace and at its root", () =>
  withFolder((folder) =>
    withNetns(2, async ([host, other]: readonly [TestNetns, TestNetns]) => {
      const root = join(folder, "a");
      const { child, said } = await openElsewhere(root, host.path);
      try {
        assert.deepEqual(said, { open: true });
        const pid = String(child.pid);
        await assert.rejects(Controller.open({ root: join(folder, "b"), hostNetns: host.path }), (error) => {
          assert.ok(isWeftError(error, "CONTROLLER_RUNNING"));
          assert.equal(error.message, `another controller (pid ${pid}) runs in the host namespace`);
          return true;
        });
        await assert.rejects(Controller.open({ root, hostNetns: other.path }), (error) => {
          assert.ok(isWeftError(error, "CONTROLLER_RUNNING"));
          assert.equal(error.message, `another controller (pid ${pid}) uses the root folder ${root}`);
          return true;
        });
      } finally {
        await kill(child);
      }
      // Once it is dead, whoever comes next finds what it made.
      const controller = await Controller.open({ root, hostNetns: host.path });
      assert.deepEqual(await controller.drift(), []);
      assert.equal(controller.network("of-the-other").driver, "bridge");
      await controller.purge();
      assert.ok(!existsSync(root));
      assert.equal(host.exec("nft", "list", "ruleset"), "");
    }),
  ));

test("without root nothing is opened and nothing is made", () =>
  withFolder((folder) =>
    withNetns(1, async ([host]) => {
      const root = join(folder, "a");
      const { child, said } = await openElsewhere(root, host.path, "65534");
      await kill(child);
      assert.equal(said.code, "NO_ROOT");
      assert.match(said.message ?? "", /^weft needs root/);
      assert.ok(!existsSync(root));
    }),
  ));

test("a root folder of a newer weft is refused and left as it is", () =>
  withFolder((folder) =>
    withNetns(1, async ([host]) => {
      const root = join(folder, "a");
      const path = join(root, "store");
      mkdirSync(root);
      const newer = { path, schema: { version: 99, migrations: [] } };
      const store = await LmdbStore.open(newer);
      await store.transact((transaction) => transaction.put("networks/x", { future: true }));
      await store.close();
      for (let i = 0; i < 2; i++) {
        await assert.rejects(Controller.open({ root, hostNetns: host.path }), (error) => {
          assert.ok(isWeftError(error, "SCHEMA_NEWER"), String(error));
          assert.match(error.message, /schema version 99, newer than version \d+/);
          return true;
        });
      }
      assert.ok(!isMountPoint(join(root, "run")));
      const again = await LmdbStore.open(newer);
      assert.deepEqual(again.get("networks/x"), { future: true });
      assert.equal(again.revision, 1);
      await again.close();
    }),
  ));

test("a root folder that is no absolute path and a namespace that is not there are refused", () =>
  withFolder(async (folder) => {
    await assert.rejects(Controller.open({ root: "relative" }), (error) =>
      isWeftError(error, "INVALID_OPTION"),
    );
    await assert.rejects(
      Controller.open({ root: join(folder, "a"), hostNetns: join(folder, "nothing") }),
      (error) => isWeftError(error, "KERNEL") && error.message.includes("ENOENT"),
    );
  }));

test("what cannot be restored is told while the controller opens", () =>
  withFolder((folder) =>
    withNetns(1, async ([host]) => {
      const root = join(folder, "a");
      const options = { root, hostNetns: host.path };
      const first = await Controller.open(options);
      const network = await first.createNetwork("bridge", "net", {
        options: { "com.docker.network.bridge.name": "mine" },
      });
      await first.close();
      host.exec("ip", "link", "delete", "mine");
      host.exec("ip", "link", "add", "mine", "type", "bridge"); // a stranger's, in the place of ours
      const events: ControllerEvent[] = [];
      const second = await Controller.open({ ...options, onEvent: (event) => events.push(event) });
      const [event] = events;
      assert.ok(event?.event === "restore-failed" && event.what === "link host mine", JSON.stringify(events));
      assert.match(String(event.error), /EEXIST/);
      host.exec("ip", "link", "delete", "mine");
      assert.deepEqual(await second.repair(), []);
      assert.deepEqual(await second.drift(), []);
      assert.equal(second.network("net").id, network.id);
      await second.purge();
    }),
  ));

test("a controller without the driver of a network is refused, and the network stays as it is", () =>
  withFolder((folder) =>
    withNetns(1, async ([host]) => {
      const options = { root: join(folder, "a"), hostNetns: host.path };
      const first = await Controller.open(options);
      const network = await first.createNetwork("bridge", "net");
      await first.createSandbox("c1", { endpoints: [{ network }] });
      await first.close();
      // By name alone: whether a bridge has seen its port come up yet is the kernel's affair.
      const links = () => host.exec("ip", "-br", "link").replaceAll(/ .*/g, "");
      const before = links();
      await assert.rejects(Controller.open({ ...options, drivers: { host: {} } }), (error) => {
        assert.ok(isWeftError(error, "DRIVER_NOT_FOUND"), String(error));
        assert.match(error.message, /^network net needs driver "bridge": open the controller with it/);
        return true;
      });
      assert.equal(links(), before);
      const second = await Controller.open(options);
      assert.deepEqual(await second.drift(), []);
      await second.purge();
    }),
  ));
