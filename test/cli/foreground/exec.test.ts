import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandConfig, type Entry, type HostService, type Sandbox } from "../../../src/api/index.ts";
import { fakeService, sampleEntry, sampleSandbox } from "../../api/fake-service.ts";
import { withServer } from "../../api/http-fixture.ts";
import { withSandbox } from "../../runtime/sandbox-fixture.ts";
import { type Ended, runWeft } from "../weft-program.ts";

const own = CommandConfig.parse({
  Args: ["busybox", "sleep", "60"],
  Env: ["A=1", "B=2"],
  WorkingDir: "/etc",
});

/** Runs `weft` with a daemon whose one sandbox runs a command. */
async function besideCommand(argv: readonly string[], input?: string): Promise<Ended> {
  let ended: Ended | undefined;
  await withSandbox(async ({ run, netnsPath }) => {
    const { pid, startTicks, bootId } = await run({ command: own.Args, hostname: "box" });
    const service: Partial<HostService> = {
      enterSandbox: async () => ({
        Id: sampleSandbox.Id,
        NetnsPath: netnsPath,
        Files: [],
        Hostname: "box",
        Command: own,
        Process: { Pid: pid, StartTicks: startTicks, BootId: bootId },
      }),
    };
    await withServer(fakeService(service).service, async ({ socketPath }) => {
      ended = await runWeft(socketPath, argv, input);
    });
  });
  if (ended === undefined) throw new Error("weft was not run");
  return ended;
}

test("exec runs beside the sandbox's command, with its environment and folder, and passes its status on", async () => {
  const script = "hostname; pwd; echo $A$B; ps | grep -c 'sleep 6[0]'; exit 4";
  const ended = await besideCommand(["exec", "-e", "B=3", "db", "busybox", "sh", "-c", script]);
  assert.deepEqual(ended, { status: 4, stdout: "box\n/etc\n13\n1\n", stderr: "" });
});

test("exec -i gives the command what is typed, as another user, in another folder", async () => {
  const argv = [
    "exec",
    "-i",
    "-u",
    "65534:65534",
    "-w",
    "/tmp",
    "db",
    "busybox",
    "sh",
    "-c",
    "id -u; pwd; cat",
  ];
  assert.deepEqual(await besideCommand(argv, "typed"), {
    status: 0,
    stdout: "65534\n/tmp\ntyped",
    stderr: "",
  });
});

test("exec tells by 127 that a program is not there", async () => {
  const { status, stderr } = await besideCommand(["exec", "db", "no-such-program"]);
  assert.deepEqual(
    [status, stderr],
    [127, 'weft: exec "no-such-program": executable file not found in $PATH\n'],
  );
});

test("exec beside a command that does not run is refused", async () => {
  const stopped: Sandbox = {
    ...sampleSandbox,
    State: { ...sampleSandbox.State, Running: false, Status: "exited" },
  };
  await withServer(fakeService({ sandbox: async () => stopped }).service, async ({ socketPath }) => {
    const { status, stderr } = await runWeft(socketPath, ["exec", "db", "true"]);
    assert.deepEqual([status, stderr], [125, "weft: sandbox db is not running\n"]);
  });
});

test("exec does not take the place of a command that ended, or did not begin, meanwhile", async () => {
  const enterSandbox = async (): Promise<Entry> => ({ ...sampleEntry, Command: own });
  await withServer(fakeService({ enterSandbox }).service, async ({ socketPath }) => {
    const { status, stderr } = await runWeft(socketPath, ["exec", "db", "true"]);
    assert.deepEqual([status, stderr], [125, "weft: sandbox db is not running\n"]);
  });
});

test("exec in a sandbox without a command of its own is in its network", () =>
  withSandbox(async ({ netnsPath }) => {
    const { Command: _, ...config } = sampleSandbox.Config;
    const service: Partial<HostService> = {
      sandbox: async () => ({
        ...sampleSandbox,
        Config: config,
        State: { ...sampleSandbox.State, Running: false },
      }),
      enterSandbox: async () => ({ Id: sampleSandbox.Id, NetnsPath: netnsPath, Files: [], Hostname: "" }),
    };
    await withServer(fakeService(service).service, async ({ socketPath }) => {
      const { status, stdout } = await runWeft(socketPath, ["exec", "db", "busybox", "ip", "-o", "link"]);
      assert.equal(status, 0);
      assert.match(stdout, /weft0/);
    });
  }));
