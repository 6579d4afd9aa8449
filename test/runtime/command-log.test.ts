import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock } from "../../src/core/index.ts";
import { trimLog } from "../../src/runtime/command-log.ts";
import { LogKeeper, type ReadLogOptions, readLog } from "../../src/runtime/index.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "weft-log-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function contents(path: string, options?: ReadLogOptions): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(path, options)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** `from` to `to`, one a line. */
function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_v, i) => `${from + i}\n`).join("");
}

suite("a command's log", () => {
  test("is read whole, or from one of its last lines on", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      for (const [text, tail, expected] of [
        ["", undefined, ""],
        ["", 5, ""],
        ["one\ntwo\nthree\n", undefined, "one\ntwo\nthree\n"],
        ["one\ntwo\nthree\n", 0, ""],
        ["one\ntwo\nthree\n", 1, "three\n"],
        ["one\ntwo\nthree\n", 2, "two\nthree\n"],
        ["one\ntwo\nthree\n", 3, "one\ntwo\nthree\n"],
        ["one\ntwo\nthree\n", 4, "one\ntwo\nthree\n"],
        ["one\ntwo\nthr", 1, "thr"],
        ["one\n\n\n", 2, "\n\n"],
        [numbers(1, 100_000), 30_000, numbers(70_001, 100_000)],
      ] as const) {
        writeFileSync(path, text);
        assert.equal(await contents(path, tail === undefined ? {} : { tail }), expected);
      }
      await assert.rejects(contents(join(folder, "none")), { code: "ENOENT" });
    }));

  test("gives back its oldest part, and begins with a whole line then", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      const all = numbers(1, 100_000);
      writeFileSync(path, all);
      assert.equal(trimLog(path, 1_000_000), all.length);
      const left = trimLog(path, 100_000);
      assert.ok(left >= 75_000 && left < 75_000 + 4096, String(left));
      assert.equal(trimLog(path, 100_000), left);
      assert.equal(statSync(path).size, all.length);
      assert.ok(statSync(path).blocks * 512 < 100_000);
      const read = await contents(path);
      assert.ok(all.endsWith(`\n${read}`) && read.length > left - 10);
      assert.equal(await contents(path, { tail: 2 }), "99999\n100000\n");
      assert.equal(await contents(path, { tail: 1_000_000 }), read);
      appendFileSync(path, "more\n");
      assert.equal(await contents(path), `${read}more\n`);
    }));

  test("loses nothing of what it keeps while a command writes to it", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      const fd = openSync(path, "a");
      const writer = spawn(
        "busybox",
        ["sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo $i; done"],
        {
          stdio: ["ignore", fd, "inherit"],
        },
      );
      closeSync(fd);
      const ended = once(writer, "exit");
      let trimmed = 0;
      while (writer.exitCode === null) {
        if (trimLog(path, 40_000) < 40_000) trimmed++;
        await setImmediate();
      }
      await ended;
      const read = await contents(path);
      assert.ok(trimmed > 0);
      assert.ok(read.length > 25_000, String(read.length));
      assert.ok(numbers(1, 100_000).endsWith(`\n${read}`));
    }));

  test("is followed until the command has ended, to its last word", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      writeFileSync(path, "before\n");
      let end: () => void = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      const seen: string[] = [];
      for await (const chunk of readLog(path, { follow: true, tail: 1, ended })) {
        seen.push(String(chunk));
        if (seen.join("") === "before\n") appendFileSync(path, "after\n");
        if (seen.join("") === "before\nafter\n") {
          appendFileSync(path, "last word");
          end();
        }
      }
      assert.equal(seen.join(""), "before\nafter\nlast word");
    }));

  test("is followed until nobody wants it, and from its start when it is emptied", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      writeFileSync(path, "old\n");
      const abort = new AbortController();
      let seen = "";
      for await (const chunk of readLog(path, { follow: true, signal: abort.signal })) {
        seen += String(chunk);
        if (seen === "old\n") {
          truncateSync(path);
          appendFileSync(path, "new");
        } else abort.abort();
      }
      assert.equal(seen, "old\nnew");
      assert.equal(await contents(path, { follow: true, signal: AbortSignal.abort() }), "");
    }));
});

/** A clock whose sleepers wake when the test says so. */
class SteppedClock implements Clock {
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;
  #wake: (() => void) | undefined;

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal?.reason);
      signal?.addEventListener("abort", abort);
      this.#wake = () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
    });
  }

  get sleeping(): boolean {
    return this.#wake !== undefined;
  }

  /** Lets the sleeper go on, and work until it sleeps again or has nothing to do. */
  async step(): Promise<void> {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
    await setImmediate();
  }
}

suite("the keeper of logs", () => {
  test("bounds a log that is written to, rests when nobody writes, and wakes", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      writeFileSync(path, "");
      const clock = new SteppedClock();
      const keeper = new LogKeeper({ clock, onError: (error) => assert.fail(String(error)) });
      keeper.keep(path, 100_000);
      const held = () => statSync(path).blocks * 512;
      const long = "x".repeat(50_000);
      for (let i = 0; i < 10; i++) {
        appendFileSync(path, `${long}\n`);
        await clock.step();
        assert.ok(held() < 110_000, String(held()));
      }
      for (let i = 0; i < 20 && clock.sleeping; i++) await clock.step();
      assert.ok(!clock.sleeping);
      appendFileSync(path, `${long}\n${long}\n`);
      while (!clock.sleeping) await setImmediate();
      await clock.step();
      assert.ok(held() < 110_000, String(held()));
      appendFileSync(path, `${long}\n${long}\n`);
      keeper.release(path);
      assert.ok(held() < 110_000, String(held()));
      await keeper.close();
    }));

  test("leaves a quiet log alone once it is released: its removal is no failure", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      writeFileSync(path, "quiet\n");
      const clock = new SteppedClock();
      const keeper = new LogKeeper({ clock, onError: (error) => assert.fail(String(error)) });
      keeper.keep(path, 100_000);
      for (let i = 0; i < 20 && clock.sleeping; i++) await clock.step();
      assert.ok(!clock.sleeping);
      keeper.release(path);
      // Closing a watcher takes a turn of the event loop, and what it would be told of the removal one more.
      await setImmediate();
      rmSync(path);
      await setImmediate();
      await setImmediate();
      assert.ok(!clock.sleeping);
      await keeper.close();
    }));

  test("tells of a log that is gone, and goes on with the others", () =>
    withFolder(async (folder) => {
      const path = join(folder, "log");
      writeFileSync(path, "");
      const clock = new SteppedClock();
      const failed: string[] = [];
      const keeper = new LogKeeper({ clock, onError: (_error, which) => failed.push(which) });
      keeper.keep(join(folder, "none"), 4096);
      await clock.step();
      assert.deepEqual(failed, [join(folder, "none")]);
      keeper.keep(path, 10_000);
      appendFileSync(path, "x\n".repeat(50_000));
      await clock.step();
      assert.ok(statSync(path).blocks * 512 < 20_000);
      await keeper.close();
    }));
});
