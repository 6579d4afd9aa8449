import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { suite, test } from "node:test";
import { systemClock } from "../../src/core/index.ts";
import { inNewNetns } from "../../src/kernel/index.ts";
import { openExitEvents, readExits, tellExits } from "../../src/runtime/exit-events.ts";
import { ExitHearing, pidfdTellsExit } from "../../src/runtime/exit-hearing.ts";
import { ExitTable } from "../../src/runtime/exit-table.ts";

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

  test("is the wait status of every process, and nothing else, while it is wanted", async () => {
    const before = openDescriptors();
    await withExitEvents(undefined, async (fd) => {
      const table = new ExitTable();
      const exitOf = (pid: number) => {
        readExits(fd, buffer, table);
        return table.find(pid);
      };
      const early = await ended(spawn("sh", ["-c", "exit 4"]));
      assert.equal(exitOf(early), undefined);
      tellExits(fd, true);
      const code = await ended(spawn("sh", ["-c", "sh -c :; exit 5"]));
      const signal = await ended(spawn("sh", ["-c", "kill -9 $$"]));
      const manyThreads =
        "for (let i = 0; i < 3; i++) new Worker('for (;;);', { eval: true }); process.exit(6)";
      const threads = await ended(
        spawn(process.execPath, ["-e", `const { Worker } = require("node:worker_threads"); ${manyThreads}`]),
      );
      assert.deepEqual(exitOf(code), { waitStatus: 5 << 8, isWhole: true });
      assert.deepEqual(exitOf(signal), { waitStatus: 9, isWhole: true });
      assert.deepEqual(exitOf(threads), { waitStatus: 6 << 8, isWhole: true });
      tellExits(fd, false);
      assert.equal(exitOf(await ended(spawn("sh", ["-c", "exit 7"]))), undefined);
    });
    assert.equal(openDescriptors(), before);
  });

  test("survives more of them than there is room for", () =>
    withExitEvents(4096, async (fd) => {
      tellExits(fd, true);
      const first = await ended(spawn("sh", ["-c", "exit 3"]));
      await ended(spawn("busybox", ["sh", "-c", "i=0; while [ $i -lt 200 ]; do (:); i=$((i+1)); done"]));
      const crowdedOut = await ended(spawn("sh", ["-c", "exit 3"]));
      const table = new ExitTable();
      readExits(fd, buffer, table);
      assert.equal(table.find(first)?.waitStatus, 3 << 8);
      assert.equal(table.find(crowdedOut), undefined);
      const last = await ended(spawn("sh", ["-c", "exit 3"]));
      readExits(fd, buffer, table);
      assert.equal(table.find(last)?.waitStatus, 3 << 8);
      tellExits(fd, false);
    }));

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

  test("is looked for a few times, by the clock, until the first thread's end has come", async () => {
    const slept: number[] = [];
    const later: (() => void)[] = [];
    const hearing = ExitHearing.open({
      ...systemClock,
      sleep: async (ms) => {
        slept.push(ms);
        later.shift()?.();
      },
    });
    assert.ok(hearing !== null);
    try {
      const table = new ExitTable(hearing.start.memory);
      table.add(70, 70, 1);
      hearing.follow(70);
      assert.equal(await hearing.waitStatusOf(70), undefined);
      assert.deepEqual(slept.splice(0), [10, 40, 200]);
      table.add(70, 71, 0); // a thread of it that ended long before
      later.push(
        () => {},
        () => table.add(70, 70, 256),
      );
      assert.equal(await hearing.waitStatusOf(70), 256);
      assert.deepEqual(slept.splice(0), [10, 40]);
      hearing.leave();
      hearing.follow(80);
      table.add(80, 81, 9);
      assert.equal(await hearing.waitStatusOf(80), 9);
      assert.deepEqual(slept.splice(0), [10, 40, 200]);
    } finally {
      hearing.close();
    }
  });
});

const buffer = Buffer.alloc(4096);

async function withExitEvents(room: number | undefined, work: (fd: number) => Promise<void>): Promise<void> {
  const fd = openExitEvents(room);
  assert.ok(fd !== undefined);
  try {
    await work(fd);
  } finally {
    closeSync(fd);
  }
}
