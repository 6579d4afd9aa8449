import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import path from "node:path";
import { test } from "node:test";
import { CommandConfig, type HostService } from "../../../src/api/index.ts";
import type { SandboxProcess } from "../../../src/runtime/index.ts";
import { fakeService, sampleSandbox } from "../../api/fake-service.ts";
import { withServer } from "../../api/http-fixture.ts";
import { withSandbox } from "../../runtime/sandbox-fixture.ts";
import { WeftProcess } from "../weft-program.ts";

const { Id } = sampleSandbox;
const Command = CommandConfig.parse({ Args: ["cat"], OpenStdin: true });

test("what is typed reaches a command that reads from a pipe, and signals reach it by the daemon", () =>
  withSandbox(async ({ run, folder }) => {
    const fifo = path.join(folder, "input");
    const command = await run({
      // Not a shell: one as pid 1 catches SIGINT, and ends by it only with a trap.
      command: ["busybox", "cat"],
      stdio: { stdin: { fifo }, stdout: "pipe" },
    });
    const service: Partial<HostService> = {
      ...serviceFor(command, fifo),
      killSandbox: async (_reference, { signal }) => {
        assert.equal(signal, "SIGINT");
        command.kill("SIGINT");
      },
      waitSandbox: async () => {
        const { signal } = await command.exited;
        return { StatusCode: signal === "SIGINT" ? 130 : 1 };
      },
    };
    await withServer(fakeService(service).service, async ({ socketPath }) => {
      const weftProcess = new WeftProcess(socketPath, ["attach", "db"]);
      weftProcess.child.stdin?.write("one\n");
      weftProcess.child.stdout?.once("data", () => weftProcess.child.kill("SIGINT"));
      const { status, stdout, stderr } = await weftProcess.end();
      assert.deepEqual([status, stdout, stderr], [130, "one\n", ""]);
    });
  }));

/** A daemon whose one sandbox runs `command` in the background, and reads from `fifo`. */
function serviceFor(command: SandboxProcess, fifo: string): Partial<HostService> {
  const output = command.stdout ?? assert.fail("no output");
  return {
    sandbox: async () => ({ ...sampleSandbox, Config: { ...sampleSandbox.Config, Command } }),
    enterSandbox: async () => ({ Id, NetnsPath: "/n", Files: [], Hostname: "h", Stdin: fifo }),
    logs: () => output,
    waitSandbox: async () => ({ StatusCode: (await command.exited).code }),
  };
}

test("a command that reads no more of what is typed ends the attachment by its status", () =>
  withSandbox(async ({ run, folder }) => {
    const fifo = path.join(folder, "input");
    const script = "head -n1; exit 6";
    const command = await run({
      command: ["busybox", "sh", "-c", script],
      stdio: { stdin: { fifo }, stdout: "pipe" },
    });
    await withServer(fakeService(serviceFor(command, fifo)).service, async ({ socketPath }) => {
      const weftProcess = new WeftProcess(socketPath, ["attach", "db"]);
      // More than a pipe holds.
      const { status, stdout, stderr } = await weftProcess.end("y\n".repeat(500_000));
      assert.deepEqual([status, stdout, stderr], [6, "y\n", ""]);
    });
  }));

for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"] as const) {
  test(`${signal} detaches from a command with a terminal, which hears nothing of it`, async () => {
    const killed = new EventEmitter();
    const Tty = { ...Command, Tty: true, OpenStdin: false };
    const { service, calls } = fakeService({
      sandbox: async () => ({ ...sampleSandbox, Config: { ...sampleSandbox.Config, Command: Tty } }),
      async *logs(_reference, query) {
        yield Buffer.from("$ ");
        await Promise.race([once(query.signal, "abort"), once(killed, "kill")]);
      },
      killSandbox: async () => void killed.emit("kill"),
    });
    await withServer(service, async ({ socketPath }) => {
      const weftProcess = new WeftProcess(socketPath, ["attach", "db"]);
      weftProcess.child.stdout?.once("data", () => weftProcess.child.kill(signal));
      const { status, stdout, stderr } = await weftProcess.end();
      assert.deepEqual([status, stdout, stderr], [0, "$ ", ""]);
      assert.deepEqual(
        calls.map(([method]) => method),
        ["sandbox", "logs"],
      );
    });
  });
}
