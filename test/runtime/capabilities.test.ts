import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import {
  capabilityOrder,
  decodeCapabilities,
  encodeCapabilities,
  namesOf,
} from "../../src/runtime/capabilities.ts";
import type { CommandInit } from "../../src/runtime/index.ts";
import { type SandboxFixture, withSandbox } from "./sandbox-fixture.ts";

/** What `docker run --rm busybox grep Cap /proc/self/status` prints for each set of a root command. */
const dockerDefault = "00000000a80425fb";
const none = "0000000000000000";

suite("the capabilities that a command asks for", () => {
  const bits = (init: Parameters<typeof capabilityOrder>[0]) => capabilityOrder(init).wanted.toString(16);

  test("are Docker's when nothing is said", () => {
    assert.equal(bits({}), "a80425fb");
  });

  test("are added and dropped as Docker reckons", () => {
    assert.equal(bits({ add: ["net_admin"] }), "a80435fb");
    assert.equal(bits({ add: ["CAP_NET_ADMIN"], drop: ["CHOWN"] }), "a80435fa");
    assert.equal(bits({ add: ["CHOWN"], drop: ["CHOWN"] }), "a80425fb");
    assert.equal(bits({ drop: ["ALL"] }), "0");
    assert.equal(bits({ add: ["Cap_Sys_Time"], drop: ["all"] }), "2000000");
    assert.equal(bits({ add: ["ALL"] }), "ffffffffffffffff");
    assert.equal(bits({ add: ["ALL"], drop: ["CHOWN"] }), "fffffffffffffffe");
    assert.equal(bits({ add: ["ALL"], drop: ["ALL"] }), "ffffffffffffffff");
  });

  test("are refused when there is none of the name", () => {
    for (const [init, message] of [
      [{ add: ["net"] }, 'invalid CapAdd: unknown capability: "CAP_NET"'],
      [{ drop: ["CAP_ROOT"] }, 'invalid CapDrop: unknown capability: "CAP_ROOT"'],
      [{ drop: [""] }, 'invalid CapDrop: unknown capability: "CAP_"'],
    ] as const) {
      assert.throws(() => capabilityOrder(init), { code: "INVALID_CAPABILITY", message });
    }
  });

  test("can be sent as JSON", () => {
    const order = capabilityOrder({ add: ["ALL"], drop: ["CHOWN"] });
    assert.deepEqual(decodeCapabilities(JSON.parse(JSON.stringify(encodeCapabilities(order)))), order);
  });
});

/** The five sets of a command, in the order Inh, Prm, Eff, Bnd, Amb. */
async function setsOf(output: SandboxFixture["output"], init: Partial<CommandInit>): Promise<string[]> {
  const { stdout, stderr } = await output(["grep", "^Cap", "/proc/self/status"], init);
  assert.equal(stderr, "");
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.slice(line.indexOf("\t") + 1));
}

function ownBounding(): string {
  return /^CapBnd:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
}

suite("the capabilities that a command has", () => {
  test("are Docker's for root, and none at first for another user", () =>
    withSandbox(async ({ output }) => {
      assert.deepEqual(await setsOf(output, {}), [none, dockerDefault, dockerDefault, dockerDefault, none]);
      const user = { uid: 1234, gid: 1234 };
      assert.deepEqual(await setsOf(output, { user }), [none, none, none, dockerDefault, none]);
    }));

  test("are no more than asked for, whoever asks", () =>
    withSandbox(async ({ output }) => {
      const capabilities = { drop: ["ALL"], add: ["NET_ADMIN"] };
      const admin = "0000000000001000";
      assert.deepEqual(await setsOf(output, { capabilities }), [none, admin, admin, admin, none]);
      assert.deepEqual(await setsOf(output, { capabilities: { drop: ["ALL"] } }), [
        none,
        none,
        none,
        none,
        none,
      ]);
    }));

  test("are all that weft has for a privileged one", () =>
    withSandbox(async ({ output }) => {
      const all = ownBounding();
      assert.deepEqual(await setsOf(output, { privileged: true }), [none, all, all, all, none]);
      assert.deepEqual(await setsOf(output, { capabilities: { add: ["ALL"] } }), [none, all, all, all, none]);
    }));

  test("let it change links only when it may", () =>
    withSandbox(async ({ output }) => {
      const command = ["ip", "link", "set", "weft0", "up"];
      assert.match((await output(command)).stderr, /Operation not permitted/);
      const { code } = await output(command, { capabilities: { add: ["NET_ADMIN"] } });
      assert.equal(code, 0);
    }));

  test("may not be more than weft has itself", () =>
    withSandbox(async ({ run }) => {
      const lacking = namesOf(~BigInt(`0x${ownBounding()}`));
      for (const name of lacking) {
        await assert.rejects(run({ command: ["true"], capabilities: { add: [name] } }), {
          code: "INVALID_CAPABILITY",
          message: `invalid CapAdd: capability not supported by your kernel or not available in the current environment: "${name}"`,
        });
      }
      const { exited } = await run({ command: ["true"], capabilities: { add: ["ALL"] } });
      assert.equal((await exited).code, 0);
    }));

  test("leave it able to gain privileges by set-uid programs, as in Docker", () =>
    withSandbox(async ({ output }) => {
      assert.equal((await output(["grep", "NoNewPrivs", "/proc/self/status"])).stdout, "NoNewPrivs:\t0\n");
    }));

  test("let it neither change settings of the machine nor see what it should not", () =>
    withSandbox(async ({ output }) => {
      const script = `echo 1 > /proc/sys/vm/swappiness; wc -c < /proc/interrupts; ls /sys/firmware
        mkdir /sys/fs/cgroup/x`;
      const { stdout, stderr } = await output(["sh", "-c", script]);
      assert.equal(stdout, "0\n");
      assert.deepEqual(stderr.match(/Read-only file system/g)?.length, 2, stderr);
    }));
});
