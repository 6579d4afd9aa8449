import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { suite, test } from "node:test";
import { systemClock } from "../../src/core/index.ts";
import { inNewNetns } from "../../src/kernel/index.ts";
import { closeExitEvents, openExitEvents, readExits } from "../../src/runtime/exit-events.ts";
import { ExitHearing, pidfdTellsExit } from "../../src/runtime/exit-hearing.ts";
import { ExitRing } from "../../src/runtime/exit-ring.ts";

async function ended(child: ChildProcess): Promise<number> {
  await once(child, "exit");
  assert.ok(child.pid !== undefined);
  return child.pid;
}

/** Not even root may everywhere: process 1 can have more capabilities than this one. */
function mayEnterFirstNetns(): boolean {
  try {
    closeSync(openSync("/proc/1/ns/net", "r"));
    return true;
  } catch {
    return false;
  }
}

const openDescriptors = () => readdirSync("/proc/self/fd").length;

suite("what the kernel tells of exits", () => {
  test("is asked for where a pidfd does not tell", () => {
    for (const [version, tells] of [
      ["6.1.0-56-amd64", false],
      ["5.15.0", false],
      ["6.14.11+deb13-amd64", false],
      ["6.15-rc1", true],
      ["6.18.44", true],
      ["7.0.0", true],
    ] as const) {
      assert.equal(pidfdTellsExit(version), tells, version);
    }
  });

  test("is the wait status of every process, and nothing else", async () => {
    const before = openDescriptors();
    const fd = openExitEvents();
    assert.ok(fd !== undefined);
    try {
      const code = await ended(spawn("sh", ["-c", "sh -c :; exit 5"]));
      const signal = await ended(spawn("sh", ["-c", "kill -9 $$"]));
      const manyThreads =
        "for (let i = 0; i < 3; i++) new Worker('for (;;);', { eval: true }); process.exit(6)";
      const threads = await ended(
        spawn(process.execPath, ["-e", `const { Worker } = require("node:worker_threads"); ${manyThreads}`]),
      );
      const ring = new ExitRing();
      readExits(fd, Buffer.alloc(4096), ring);
      assert.ok(ring.count >= 4n);
      assert.equal(ring.find(code, 0n), 5 << 8);
      assert.equal(ring.find(signal, 0n), 9);
      assert.equal(ring.find(threads, 0n), 6 << 8);
    } finally {
      closeExitEvents(fd);
    }
    assert.equal(openDescriptors(), before);
  });

  test("survives more of them than there is room for", async () => {
    const fd = openExitEvents(4096);
    assert.ok(fd !== undefined);
    try {
      await ended(spawn("busybox", ["sh", "-c", "i=0; while [ $i -lt 200 ]; do (:); i=$((i+1)); done"]));
      const ring = new ExitRing();
      readExits(fd, Buffer.alloc(4096), ring);
      assert.ok(ring.count > 0n && ring.count < 200n, String(ring.count));
      const last = await ended(spawn("sh", ["-c", "exit 3"]));
      readExits(fd, Buffer.alloc(4096), ring);
      assert.equal(ring.find(last, 0n), 3 << 8);
    } finally {
      closeExitEvents(fd);
    }
  });

  test("is heard in the first network namespace alone, and there from others too", () => {
    inNewNetns(() => {}); // a thread keeps its way home
    const before = openDescriptors();
    inNewNetns(() => {
      assert.equal(openExitEvents(), undefined);
      const hearing = ExitHearing.open(systemClock);
      assert.equal(hearing !== null, mayEnterFirstNetns());
      hearing?.close();
    });
    assert.equal(openDescriptors(), before);
  });

  test("is looked for a few times, by the clock", async () => {
    const slept: number[] = [];
    const hearing = ExitHearing.open({
      ...systemClock,
      sleep: async (ms) => {
        slept.push(ms);
        if (slept.length === 2) new ExitRing(hearing?.start.memory).add(1, 256);
      },
    });
    assert.ok(hearing !== null);
    try {
      assert.equal(await hearing.waitStatusOf(2, 0n), undefined);
      assert.deepEqual(slept, [10, 40, 200]);
      slept.length = 0;
      assert.equal(await hearing.waitStatusOf(1, hearing.count), 256);
      assert.deepEqual(slept, [10, 40]);
    } finally {
      hearing.close();
    }
  });
});
