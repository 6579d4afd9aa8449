import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import {
  CommandConfig,
  type Entry,
  type HostService,
  ProcessIdentity,
  SandboxCreate,
} from "../../../src/api/index.ts";
import { WeftError } from "../../../src/core/index.ts";
import { type FakeService, fakeService } from "../../api/fake-service.ts";
import { withServer } from "../../api/http-fixture.ts";
import { until } from "../../e2e/until.ts";
import { type SandboxFixture, withSandbox } from "../../runtime/sandbox-fixture.ts";
import { runWeft, WeftProcess } from "../weft-program.ts";

const id = "1f".repeat(32);

/** A daemon that opens the fixture's namespace for whatever it was asked to make. */
function daemonFor({ netnsPath, folder }: SandboxFixture, own: Partial<HostService> = {}): FakeService {
  const hosts = path.join(folder, "hosts");
  writeFileSync(hosts, "10.9.8.7 neighbour\n");
  let config: SandboxCreate | undefined;
  return fakeService({
    createSandbox: async (request) => {
      config = request;
      return { Id: id, Warnings: [] };
    },
    enterSandbox: async (): Promise<Entry> => ({
      Id: id,
      NetnsPath: netnsPath,
      Files: [{ Source: hosts, Target: "/etc/hosts" }],
      Hostname: "box",
      Command: config?.Command,
    }),
    ...own,
  });
}

async function withDaemon(
  work: (use: { socketPath: string; fake: FakeService; fixture: SandboxFixture }) => Promise<void>,
  own: (fixture: SandboxFixture) => Partial<HostService> = () => ({}),
): Promise<void> {
  await withSandbox(async (fixture) => {
    const fake = daemonFor(fixture, own(fixture));
    await withServer(fake.service, ({ socketPath }) => work({ socketPath, fake, fixture }));
  });
}

const methods = ({ calls }: FakeService) => calls.map(([method]) => method);

test("run passes the command's output and status on, and the daemon knows of it before it begins", () =>
  withDaemon(async ({ socketPath, fake, fixture }) => {
    const script = "ip -o link | grep -c weft0; cat /etc/hosts; hostname; echo $A >&2; exit 3";
    const argv = ["run", "-e", "A=b c", "-w", fixture.folder, "--", "busybox", "sh", "-c", script];
    const { status, stdout, stderr } = await runWeft(socketPath, argv);
    assert.deepEqual([status, stdout, stderr], [3, "1\n10.9.8.7 neighbour\nbox\n", "b c\n"]);
    assert.deepEqual(methods(fake), ["createSandbox", "enterSandbox", "claimProcess", "tellExit"]);
    const [, , claim, exit] = fake.calls;
    assert.equal(claim?.[1], id);
    assert.deepEqual(exit?.slice(1), [id, { process: claim?.[2], status: 3 }]);
  }));

test("run passes on the statuses that are weft's own elsewhere", () =>
  withDaemon(async ({ socketPath }) => {
    for (const status of [1, 2]) {
      const ended = await runWeft(socketPath, ["run", "busybox", "sh", "-c", `exit ${status}`]);
      assert.deepEqual([ended.status, ended.stderr], [status, ""]);
    }
  }));

test("run -i gives the command what is typed, and without -i it reads nothing", () =>
  withDaemon(async ({ socketPath }) => {
    const typed = await runWeft(socketPath, ["run", "-i", "busybox", "cat"], "hello\n");
    assert.deepEqual([typed.status, typed.stdout], [0, "hello\n"]);
    const alone = await runWeft(socketPath, ["run", "busybox", "cat"], "hello\n");
    assert.deepEqual([alone.status, alone.stdout], [0, ""]);
  }));

test("the command runs in the folder that weft was called in, recorded for later starts", () =>
  withDaemon(async ({ socketPath, fake, fixture: { folder } }) => {
    const { stdout } = await new WeftProcess(socketPath, ["run", "busybox", "pwd"], { cwd: folder }).end();
    assert.equal(stdout, `${folder}\n`);
    const [, request] = fake.calls[0] ?? [];
    assert.equal(SandboxCreate.parse(request).Command?.WorkingDir, folder);
  }));

test("run -t without a terminal of its own makes one", () =>
  withDaemon(async ({ socketPath }) => {
    const argv = ["run", "-t", "busybox", "sh", "-c", "tty; stty size; echo $TERM"];
    const { status, stdout } = await runWeft(socketPath, argv);
    assert.match(stdout, /^\/dev\/(pts\/\d+|console)\r\n24 80\r\nxterm\r\n$/);
    assert.equal(status, 0);
  }));

for (const [what, argv, status, words] of [
  ["is not there", ["no-such-program"], 127, 'exec "no-such-program": executable file not found in $PATH'],
  ["cannot be executed", ["/etc/passwd"], 126, 'exec "/etc/passwd": permission denied'],
] as const) {
  test(`a program that ${what} is ${status}, and leaves no sandbox`, () =>
    withDaemon(async ({ socketPath, fake }) => {
      for (const options of [[], ["--rm"], ["--restart", "always"]]) {
        fake.calls.length = 0;
        const ended = await runWeft(socketPath, ["run", ...options, ...argv]);
        assert.deepEqual([ended.status, ended.stdout, ended.stderr], [status, "", `weft: ${words}\n`]);
        assert.deepEqual(methods(fake), ["createSandbox", "enterSandbox", "claimProcess", "removeSandbox"]);
      }
    }));
}

test("a command that the daemon does not take never begins", () =>
  withDaemon(
    async ({ socketPath, fake, fixture: { folder } }) => {
      const trace = path.join(folder, "trace");
      const ended = await runWeft(socketPath, ["run", "--rm", "busybox", "touch", trace]);
      assert.deepEqual([ended.status, ended.stderr], [125, "weft: another runs\n"]);
      assert.equal(existsSync(trace), false);
      assert.deepEqual(methods(fake), ["createSandbox", "enterSandbox", "claimProcess", "removeSandbox"]);
    },
    () => ({
      claimProcess: async () => {
        throw new WeftError("SANDBOX_EXISTS", "another runs");
      },
    }),
  ));

test("signals reach the command, which ends as it likes", () =>
  withDaemon(async ({ socketPath, fixture: { folder } }) => {
    const ready = path.join(folder, "ready");
    const script = `trap 'echo caught; exit 9' HUP; echo > ${ready}; while :; do sleep 0.05; done`;
    const weft = new WeftProcess(socketPath, ["run", "busybox", "sh", "-c", script]);
    await there(ready);
    weft.child.kill("SIGHUP");
    const { status, stdout } = await weft.end();
    assert.deepEqual([status, stdout], [9, "caught\n"]);
  }));

test("a signal that ends the command is 128 + its number", () =>
  withDaemon(async ({ socketPath, fake }) => {
    const weft = new WeftProcess(socketPath, ["run", "busybox", "sleep", "60"]);
    // Earlier it may reach the program that becomes the command, just before it does.
    await until("the command runs", () => commandLineOf(fake).startsWith("busybox sleep"));
    weft.child.kill("SIGINT");
    const { status } = await weft.end();
    assert.equal(status, 128 + os.constants.signals.SIGINT);
    assert.equal(methods(fake).at(-1), "tellExit");
  }));

/** What runs now as the process that the daemon was told of; empty before that. */
function commandLineOf({ calls }: FakeService): string {
  const [, , claimed] = calls.find(([method]) => method === "claimProcess") ?? [];
  const identity = ProcessIdentity.safeParse(claimed);
  if (!identity.success) return "";
  return readFileSync(`/proc/${identity.data.Pid}/cmdline`, "utf8").replaceAll("\0", " ");
}

test("a signal that comes before the command gives it up, and --rm leaves no sandbox", async () => {
  const entered = new Gate();
  const goOn = new Gate();
  await withDaemon(
    async ({ socketPath, fake, fixture: { folder } }) => {
      const trace = path.join(folder, "trace");
      const weft = new WeftProcess(socketPath, ["run", "--rm", "busybox", "touch", trace]);
      await entered.passed;
      weft.child.kill("SIGTERM");
      goOn.open();
      const { status } = await weft.end();
      assert.equal(status, 128 + os.constants.signals.SIGTERM);
      assert.equal(existsSync(trace), false);
      assert.ok(["removeSandbox", "tellExit"].includes(methods(fake).at(-1) ?? ""));
    },
    ({ netnsPath, folder }) => ({
      enterSandbox: async () => {
        const Command = CommandConfig.parse({ Args: ["busybox", "touch", path.join(folder, "trace")] });
        entered.open();
        await goOn.passed;
        return { Id: id, NetnsPath: netnsPath, Files: [], Hostname: "box", Command };
      },
    }),
  );
});

test("a daemon that is away at the end changes nothing for the command's caller but a line", () =>
  withDaemon(
    async ({ socketPath }) => {
      const { status, stdout, stderr } = await runWeft(socketPath, ["run", "busybox", "echo", "done"]);
      assert.deepEqual([status, stdout, stderr], [0, "done\n", "weft: the store is gone\n"]);
    },
    () => ({
      tellExit: async () => {
        throw new WeftError("STORE", "the store is gone");
      },
    }),
  ));

test("a daemon that noticed the end first, and removed the sandbox, is no failure of --rm", () =>
  withDaemon(
    async ({ socketPath }) => {
      const { status, stderr } = await runWeft(socketPath, ["run", "--rm", "busybox", "sh", "-c", "exit 2"]);
      assert.deepEqual([status, stderr], [2, ""]);
    },
    () => ({
      tellExit: async () => {
        throw new WeftError("SANDBOX_NOT_FOUND", "no such sandbox");
      },
    }),
  ));

/** Resolves when a file is there. */
async function there(file: string): Promise<void> {
  while (!existsSync(file) || readFileSync(file, "utf8") === "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Something that a test waits for. */
class Gate {
  open: () => void = () => {};
  readonly passed = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}
