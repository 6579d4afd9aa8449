import assert from "node:assert/strict";
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import type { HostService } from "../../src/api/index.ts";
import { fakeService, sampleEvent } from "../api/fake-service.ts";
import { withServer } from "../api/http-fixture.ts";
import { weftProgram } from "./weft-program.ts";

/** Until nobody listens any more. */
const never = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** A daemon whose streams begin, and do not end by themselves. */
const streaming: Partial<HostService> = {
  async *events({ signal }) {
    yield sampleEvent(1);
    await never(signal);
  },
  async *logs(_sandbox, { signal }) {
    yield Buffer.from("one\n");
    await never(signal);
  },
};

function start(socketPath: string, line: string, stdio: StdioOptions): ChildProcess {
  const env = { PATH: process.env.PATH, WEFT_SOCKET: socketPath };
  return spawn(process.execPath, [weftProgram, ...line.split(" ")], { env, stdio });
}

suite("the end of a command of weft's", () => {
  for (const line of ["events", "logs -f db"]) {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      test(`weft ${line} ends by ${signal} as any program, and says nothing`, () =>
        withServer(fakeService(streaming).service, async ({ socketPath }) => {
          const child = start(socketPath, line, ["ignore", "pipe", "pipe"]);
          const closed = once(child, "close");
          const said = text(child.stderr ?? assert.fail());
          await once(child.stdout ?? assert.fail(), "data");
          child.kill(signal);
          assert.deepEqual([await closed, await said], [[null, signal], ""]);
        }));
    }

    test(`weft ${line} ends when its reader has gone, and says nothing`, () =>
      withServer(
        fakeService({
          ...streaming,
          async *events({ signal }) {
            for (let number = 1; !signal.aborted; number++) yield sampleEvent(number);
          },
          async *logs(_sandbox, { signal }) {
            while (!signal.aborted) yield Buffer.alloc(1000, "line\n");
          },
        }).service,
        async ({ socketPath }) => {
          const child = start(socketPath, line, ["ignore", "pipe", "pipe"]);
          const closed = once(child, "close");
          const said = text(child.stderr ?? assert.fail());
          await once(child.stdout ?? assert.fail(), "data");
          child.stdout?.destroy();
          assert.deepEqual([await closed, await said], [[141, null], ""]);
        },
      ));
  }

  for (const [line, status] of [
    ["ps", 1],
    ["events", 1],
    ["network inspect web", 1],
    ["--help", 1],
  ] as const) {
    test(`weft ${line} says in one line that its output cannot be written`, () =>
      withServer(fakeService(streaming).service, async ({ socketPath }) => {
        const full = openSync("/dev/full", "w");
        const child = start(socketPath, line, ["ignore", full, "pipe"]);
        closeSync(full);
        const [ended, said] = await Promise.all([once(child, "close"), text(child.stderr ?? assert.fail())]);
        assert.equal(
          said,
          "weft: cannot write to the standard output: ENOSPC: no space left on device, write\n",
        );
        assert.deepEqual(ended, [status, null]);
      }));
  }

  test("a failure that cannot be told has its status all the same", () =>
    withServer(fakeService().service, async ({ socketPath }) => {
      for (const [line, status] of [
        ["foo", 2],
        ["run", 125],
      ] as const) {
        const full = openSync("/dev/full", "w");
        const child = start(socketPath, line, ["ignore", "ignore", full]);
        closeSync(full);
        assert.deepEqual(await once(child, "close"), [status, null]);
      }
    }));
});
