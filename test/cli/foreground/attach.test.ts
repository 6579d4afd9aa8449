import assert from "node:assert/strict";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { test } from "node:test";
import { CommandConfig, type HostService, type Sandbox } from "../../../src/api/index.ts";
import type { RuntimeDoor } from "../../../src/cli/foreground/runtime-door.ts";
import { WeftError } from "../../../src/core/index.ts";
import { Launcher, openInput } from "../../../src/runtime/index.ts";
import { inTurn, sampleSandbox } from "../../api/fake-service.ts";
import { weft } from "../cli-fixture.ts";

const { Id } = sampleSandbox;
const identity = { Pid: 7, StartTicks: 8, BootId: "b" };

function sandboxWith(command: Partial<CommandConfig>): Sandbox {
  const Command = CommandConfig.parse({ Args: ["cat"], ...command });
  return { ...sampleSandbox, Config: { ...sampleSandbox.Config, Command } };
}

/** A daemon whose one sandbox runs a command with a terminal that can be typed on. */
const screenService: Partial<HostService> = {
  sandbox: async () => sandboxWith({ Tty: true, OpenStdin: true }),
  enterSandbox: async () => ({ Id, NetnsPath: "/n", Files: [], Hostname: "h", Process: identity }),
  waitSandbox: async () => ({ StatusCode: 0 }),
};

test("attach prints what comes from now on, and ends as the command does", async () => {
  const outcome = await weft(["attach", "db"], {
    service: { logs: () => inTurn([Buffer.from("now\n")]), waitSandbox: async () => ({ StatusCode: 5 }) },
  });
  assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [5, "now\n", ""]);
  assert.deepEqual(outcome.calls.slice(1), [
    ["logs", Id, { tail: 0, follow: true }],
    ["waitSandbox", Id],
  ]);
});

test("attach says so when nobody knows how the command ended, or it does not run", async () => {
  const lost = await weft(["attach", "db"], { service: { waitSandbox: async () => ({ StatusCode: null }) } });
  assert.deepEqual([lost.status, lost.stderr], [1, "weft: the command of db has ended; how is not known\n"]);
  const stopped: Sandbox = { ...sampleSandbox, State: { ...sampleSandbox.State, Running: false } };
  const refused = await weft(["attach", "db"], { service: { sandbox: async () => stopped } });
  assert.deepEqual(
    [refused.status, refused.stderr],
    [1, "weft: cannot attach to a stopped sandbox: start db first\n"],
  );
});

test("what is typed reaches the terminal of the command, which learns the size of this one", async () => {
  const { runtime, typed, sizes } = runtimeWithTerminal();
  const logs = async function* () {
    yield Buffer.from(`got ${await typed}`);
  };
  const outcome = await weft(["attach", "db"], {
    input: "hello",
    runtime,
    service: { ...screenService, logs },
  });
  assert.deepEqual([outcome.status, outcome.stdout, outcome.stderr], [0, "got hello", ""]);
  assert.deepEqual(sizes, [[100, 30]]);
});

test("what is typed waits until the daemon reads the log, which the answer goes to", async () => {
  const { runtime, typed } = runtimeWithTerminal();
  let follows = false;
  let followed: boolean | undefined;
  void typed.then(() => {
    followed = follows;
  });
  const logs = async function* () {
    follows = true;
    yield Buffer.from(`got ${await typed}`);
  };
  const { stdout } = await weft(["attach", "db"], {
    input: "hello",
    runtime,
    service: { ...screenService, logs },
  });
  assert.deepEqual([stdout, followed], ["got hello", true]);
});

test("the terminal of the command keeps the size of this one", async () => {
  const { runtime, sizes } = runtimeWithTerminal();
  let size = { columns: 100, rows: 30 };
  let screen: Writable | undefined;
  const logs = async function* () {
    size = { columns: 132, rows: 43 };
    screen?.emit("resize");
    yield Buffer.from("drawn anew");
  };
  const { status } = await weft(["attach", "db"], {
    runtime,
    size: () => size,
    onStdout: (stdout) => {
      screen = stdout;
    },
    service: { ...screenService, logs },
  });
  assert.equal(status, 0);
  const expected = [
    [100, 30],
    [132, 43],
  ];
  assert.deepEqual(sizes, expected);
  screen?.emit("resize");
  assert.deepEqual(sizes, expected, "nobody listens after the end");
});

test("a command that ends while it is attached to is told of by its status", async () => {
  const enterSandbox = async () => {
    throw new WeftError("SANDBOX_NOT_RUNNING", "sandbox db is not running");
  };
  const { status, stderr } = await weft(["attach", "db"], {
    service: {
      ...screenService,
      enterSandbox,
      logs: () => inTurn([]),
      waitSandbox: async () => ({ StatusCode: 4 }),
    },
  });
  assert.deepEqual([status, stderr], [4, ""]);
});

test("who is not root may look on, and is told so", async () => {
  const refused = await weft(["attach", "db"], { isRoot: false, service: screenService });
  const words =
    "weft attach opens what the command reads from, which needs root: run it as root, or with --no-stdin";
  assert.deepEqual([refused.status, refused.stderr], [1, `weft: ${words}\n`]);
  const looking = await weft(["attach", "--no-stdin", "db"], {
    isRoot: false,
    service: { ...screenService, logs: () => inTurn([Buffer.from("now")]) },
  });
  assert.deepEqual([looking.status, looking.stdout], [0, "now"]);
});

test("--no-stdin leaves the command's input alone", async () => {
  const outcome = await weft(["attach", "--no-stdin", "db"], {
    input: "hello",
    service: {
      sandbox: async () => sandboxWith({ OpenStdin: true }),
      waitSandbox: async () => ({ StatusCode: 0 }),
    },
  });
  assert.deepEqual(
    [outcome.status, outcome.calls.map(([method]) => method)],
    [0, ["sandbox", "logs", "waitSandbox"]],
  );
});

/** A runtime whose one command has a terminal that a test looks into. */
function runtimeWithTerminal(): {
  readonly runtime: RuntimeDoor;
  readonly typed: Promise<string>;
  readonly sizes: (readonly [number, number])[];
} {
  const input = new PassThrough();
  const sizes: (readonly [number, number])[] = [];
  const terminal: {
    input: Writable;
    output: Readable;
    resize: (c: number, r: number) => void;
    close: () => void;
  } = {
    input,
    output: new PassThrough(),
    resize: (columns, rows) => void sizes.push([columns, rows]),
    close: () => void input.destroy(),
  };
  const typed = new Promise<string>((resolve) => input.once("data", (chunk) => resolve(String(chunk))));
  const of = (command: unknown) => {
    assert.deepEqual(command, { pid: 7, startTicks: 8, bootId: "b" });
    return terminal;
  };
  const exitNumber = () => undefined;
  return { runtime: { Launcher, Terminal: { of }, openInput, exitNumber }, typed, sizes };
}
