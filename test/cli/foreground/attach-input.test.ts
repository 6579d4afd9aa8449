import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { CommandConfig, type HostService } from "../../../src/api/index.ts";
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
      command: ["busybox", "sh", "-c", "read line; echo got $line; exec cat"],
      stdio: { stdin: { fifo }, stdout: "pipe" },
    });
    const output = command.stdout ?? assert.fail("no output");
    const service: Partial<HostService> = {
      sandbox: async () => ({ ...sampleSandbox, Config: { ...sampleSandbox.Config, Command } }),
      enterSandbox: async () => ({ Id, NetnsPath: "/n", Files: [], Hostname: "h", Stdin: fifo }),
      logs: () => output,
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
      assert.deepEqual([status, stdout, stderr], [130, "got one\n", ""]);
    });
  }));
