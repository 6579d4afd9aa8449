import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { WeftError } from "../../src/core/index.ts";
import { inTurn, sampleNetwork } from "../api/fake-service.ts";
import { withFolder } from "../api/http-fixture.ts";
import { weft, weftAt } from "./cli-fixture.ts";

const notFound = new WeftError("NETWORK_NOT_FOUND", "network db not found");
const refuse = async () => {
  throw notFound;
};

test("a daemon's refusal is one line and status 1", async () => {
  const { status, stdout, stderr } = await weft(["network", "create", "web"], {
    service: { createNetwork: refuse },
  });
  assert.deepEqual(
    { status, stdout, stderr },
    { status: 1, stdout: "", stderr: "weft: network db not found\n" },
  );
});

test("a refusal of many lines is told on one", async () => {
  const createNetwork = async () => {
    throw new WeftError("KERNEL", "one\n  two\n");
  };
  const { stderr } = await weft(["network", "create", "web"], { service: { createNetwork } });
  assert.equal(stderr, "weft: one; two\n");
});

test("run tells a daemon's refusal by 125", async () => {
  const { status } = await weft(["run", "-d", "true"], { service: { createSandbox: refuse } });
  assert.equal(status, 125);
});

for (const [code, expected] of [
  ["COMMAND_NOT_FOUND", 127],
  ["COMMAND_NOT_EXECUTABLE", 126],
  ["LAUNCH", 125],
] as const) {
  test(`run -d tells a daemon's ${code} by ${expected}`, async () => {
    const createSandbox = async () => {
      throw new WeftError(code, "it does not start");
    };
    const { status, stderr } = await weft(["run", "-d", "true"], { service: { createSandbox } });
    assert.deepEqual([status, stderr], [expected, "weft: it does not start\n"]);
  });
}

test("no daemon is said with what to do, also by run's own status", async () => {
  const words = "weft: cannot reach the daemon at /not/there: is it running? start it with `weft up`\n";
  assert.deepEqual(await weftAt("/not/there", ["network", "ls"]), { status: 1, stdout: "", stderr: words });
  assert.deepEqual(await weftAt("/not/there", ["run", "-d", "true"]), {
    status: 125,
    stdout: "",
    stderr: words,
  });
});

test("-H goes before WEFT_SOCKET, and takes Docker's unix://", async () => {
  for (const host of ["/elsewhere", "unix:///elsewhere"]) {
    const { stderr } = await weftAt("/not/there", ["-H", host, "network", "ls"]);
    assert.match(stderr, /daemon at \/elsewhere:/);
  }
});

test("of several, each is done although one is refused, and the status is 1", async () => {
  const removeNetwork = async (name: string) => {
    if (name === "db") throw notFound;
  };
  const outcome = await weft(["network", "rm", "a", "db", "b"], { service: { removeNetwork } });
  assert.deepEqual(
    [outcome.status, outcome.stdout, outcome.stderr],
    [1, "a\nb\n", "weft: network db not found\n"],
  );
});

test("inspect prints what there is, and complains of the rest", async () => {
  const network = async (name: string) => {
    if (name === "db") throw notFound;
    return sampleNetwork;
  };
  const argv = ["network", "inspect", "--format", "json", "db", "web"];
  const { status, stdout, stderr } = await weft(argv, { service: { network } });
  assert.deepEqual(JSON.parse(stdout), [sampleNetwork]);
  assert.deepEqual([status, stderr], [1, "weft: network db not found\n"]);
});

test("a field that an object has not got is refused by name, with those it has", async () => {
  const { status, stderr } = await weft(["network", "inspect", "--format", "{{.IPAM.Foo}}", "web"]);
  assert.equal(stderr, "weft: --format: no field .IPAM.Foo: there are Driver, Options, Config\n");
  assert.equal(status, 2);
});

test("prune asks first, and does nothing unless it is told yes", async () => {
  for (const [input, status, asked] of [
    ["y\n", 0, 1],
    ["Yes\n", 0, 1],
    ["n\n", 1, 0],
    ["", 1, 0],
  ] as const) {
    const outcome = await weft(["network", "prune"], { input });
    assert.equal(outcome.status, status, input);
    assert.equal(outcome.calls.length, asked, input);
    assert.match(outcome.stdout, /^WARNING! .*\nAre you sure you want to continue\? \[y\/N\] /);
  }
});

test("what a plan would be refused with is told as a refusal", async () => {
  const plan = async () => ({
    Status: 404,
    Answer: { message: "network db not found", code: "X" },
    Steps: [],
  });
  const { status, stdout, stderr } = await weft(["plan", "network", "rm", "db"], { service: { plan } });
  assert.deepEqual([status, stdout, stderr], [1, "", "weft: network db not found\n"]);
});

test("drift without a difference is silent and 0, with one it is printed and 1", async () => {
  const sound = await weft(["drift"], { service: { drift: async () => [] } });
  assert.deepEqual([sound.status, sound.stdout], [0, ""]);
  const { status, stdout, stderr } = await weft(["drift"]);
  assert.equal(status, 1);
  assert.match(stdout, /^DRIFT +OBJECT +WANTED +FOUND\nmissing +link weft0 +\{"up":true\}\n$/);
  assert.equal(stderr, "");
});

test("a repair that mends not all ends with 1 and says what is left", async () => {
  const repair = async () => ({ Mended: ["link a"], Unmended: [{ What: "link b", Error: "EBUSY" }] });
  const { status, stdout, stderr } = await weft(["drift", "--repair"], { service: { repair } });
  assert.deepEqual([status, stdout, stderr], [1, "mended link a\n", "weft: cannot mend link b: EBUSY\n"]);
});

test("a doctor who finds a problem ends with 1", async () => {
  const doctor = async () => [
    { Check: "vxlan", Level: "problem" as const, Found: "no", Advice: "modprobe vxlan" },
  ];
  assert.equal((await weft(["doctor"], { service: { doctor } })).status, 1);
  assert.equal((await weft(["doctor"])).status, 0);
});

test("version tells its own also when no daemon answers, and ends with 1", async () => {
  const { status, stdout, stderr } = await weftAt("/not/there", [
    "version",
    "--format",
    "{{.Client.ApiVersion}}",
  ]);
  assert.deepEqual([status, stdout], [1, "1\n"]);
  assert.match(stderr, /^weft: cannot reach the daemon/);
});

test("logs come as they were written, whatever they hold", async () => {
  const { stdout } = await weft(["logs", "db"], {
    service: { logs: () => inTurn([Buffer.from("a\u001b[1mb\n")]) },
  });
  assert.equal(stdout, "a\u001b[1mb\n");
});

test("wait prints what nobody knows as unknown", async () => {
  const waitSandbox = async (name: string) => ({ StatusCode: name === "a" ? 3 : null });
  const { status, stdout } = await weft(["wait", "a", "b"], { service: { waitSandbox } });
  assert.deepEqual([status, stdout], [0, "3\nunknown\n"]);
});

test("a backup takes its name when all of it is there, and is its owner's", () =>
  withFolder(async (folder) => {
    const file = path.join(folder, "store.bak");
    assert.equal((await weft(["store", "backup", file])).status, 0);
    assert.equal(readFileSync(file, "utf8"), "store");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["store.bak"]);
  }));

test("a backup that breaks off leaves nothing", () =>
  withFolder(async (folder) => {
    const file = path.join(folder, "store.bak");
    const backup = async function* () {
      yield Buffer.from("half");
      throw new WeftError("STORE", "the disk is gone");
    };
    const { status } = await weft(["store", "backup", file], { service: { backup } });
    assert.equal(status, 1);
    assert.equal(existsSync(file), false);
    assert.deepEqual(readdirSync(folder), []);
  }));

test("who is not root is told what needs it, before the daemon is asked for anything", async () => {
  const needs = "enters the sandbox's namespaces, which needs root";
  const run = await weft(["run", "true"], { isRoot: false });
  const background = "run it as root, or with -d, in the background, where the daemon starts the command";
  assert.deepEqual(
    [run.status, run.stderr, run.calls],
    [125, `weft: weft run without -d ${needs}: ${background}\n`, []],
  );
  const exec = await weft(["exec", "db", "true"], { isRoot: false });
  assert.deepEqual(
    [exec.status, exec.stderr, exec.calls],
    [
      125,
      `weft: weft exec ${needs}: run it as root; only what weft run -d starts is started by the daemon\n`,
      [],
    ],
  );
  const detached = await weft(["run", "-d", "true"], { isRoot: false });
  assert.equal(detached.status, 0);
});
