import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ErrorCode, isWeftError } from "../../src/core/index.ts";
import { type CommandInit, Launcher } from "../../src/runtime/index.ts";
import { type SandboxFixture, withSandbox } from "./sandbox-fixture.ts";

async function refused(
  fixture: SandboxFixture,
  init: Partial<CommandInit>,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  const stdio = { stdin: "pipe", stdout: "pipe", stderr: "pipe" } as const;
  await assert.rejects(fixture.run({ command: ["true"], stdio, ...init }), (error) => {
    assert.ok(isWeftError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}

suite("the launcher", () => {
  test("may be closed before it is ready, and the program stays until it is", async () => {
    const program = spawn(process.execPath, [fileURLToPath(new URL("./close-at-once.js", import.meta.url))]);
    const [[status], output] = await Promise.all([once(program, "close"), text(program.stdout)]);
    assert.deepEqual([status, output], [0, "closed\n"]);
  });

  test("refuses what is no command, and says why", () =>
    withSandbox(async (fixture) => {
      const { folder } = fixture;
      const write = (name: string, text: string, mode: number) => {
        writeFileSync(join(folder, name), text);
        chmodSync(join(folder, name), mode);
        return join(folder, name);
      };
      const cases: readonly (readonly [Partial<CommandInit>, RegExp])[] = [
        [{ command: [] }, /no command/],
        [{ command: [""] }, /no command/],
        [{ command: ["true", "a\0b"] }, /NUL/],
        [{ cwd: "/no/such" }, /working directory "\/no\/such": no such file or directory/],
        [{ environment: { "A=B": "c" } }, /environment variable/],
        [{ user: { uid: -1, gid: 0 } }, /user or group number -1/],
        [{ user: "no-such" }, /unable to find user no-such: no matching entries in passwd file/],
        [{ user: "root:no-such" }, /unable to find group no-such: no matching entries in group file/],
        [{ user: "4294967295" }, /uids and gids must be in range 0-2147483647/],
        [{ files: [{ source: "/etc/hosts", target: "hosts" }] }, /absolute path/],
        [{ stdio: { stdout: "pipe", stderr: { file: "/no/such/log" } } }, /cannot write output/],
        [
          { stdio: { stdin: { fifo: write("plain", "text", 0o644) } } },
          /cannot read input from .*: it is no FIFO/,
        ],
        [{ terminal: { columns: -1 } }, /invalid terminal size -1x24/],
      ];
      for (const [init, message] of cases) await refused(fixture, init, "INVALID_COMMAND", message);
      const found: readonly (readonly [Partial<CommandInit>, RegExp])[] = [
        [{ command: ["no-such-program"] }, /exec "no-such-program": executable file not found in \$PATH/],
        [{ command: ["true"], environment: { PATH: folder } }, /executable file not found in \$PATH/],
        [{ command: ["/no/such"] }, /exec "\/no\/such": no such file or directory/],
        [{ command: ["./no-such"], cwd: folder }, /exec ".\/no-such": no such file or directory/],
        [{ command: [write("orphan", "#!/no/such\n", 0o755)] }, /interpreter/],
      ];
      for (const [init, message] of found) await refused(fixture, init, "COMMAND_NOT_FOUND", message);
      const denied: readonly (readonly [Partial<CommandInit>, RegExp])[] = [
        [{ command: [folder] }, /permission denied/],
        [{ command: [write("plain", "text", 0o644)] }, /permission denied/],
        [{ command: [write("text", "no program\n", 0o755)] }, /exec format error/],
      ];
      for (const [init, message] of denied) await refused(fixture, init, "COMMAND_NOT_EXECUTABLE", message);
    }));

  test("says which part of a sandbox is not there", () =>
    withSandbox(async (fixture) => {
      const { folder } = fixture;
      const file = join(folder, "plain");
      writeFileSync(file, "");
      const none = join(folder, "none");
      const cases: readonly (readonly [Partial<CommandInit>, RegExp])[] = [
        [{ netnsPath: none }, /cannot enter network namespace \S+none: .*ENOENT/],
        [{ netnsPath: file }, /cannot enter network namespace \S+plain: .*EINVAL/],
        [
          { files: [{ source: none, target: "/etc/hosts" }] },
          /cannot show \S+none in a sandbox: no such file/,
        ],
        [{ files: [{ source: file, target: `${none}/deep/file` }] }, /no such folder/],
        [{ hostname: "x".repeat(65) }, /sethostname/],
      ];
      for (const [init, message] of cases) await refused(fixture, init, "LAUNCH", message);
    }));

  test("finds relative programs in the command's folder, and in PATH", () =>
    withSandbox(async ({ output, folder }) => {
      const script = join(folder, "hello");
      writeFileSync(script, "#!/bin/sh\necho hello $1\n");
      chmodSync(script, 0o755);
      assert.equal((await output(["./hello", "you"], { cwd: folder })).stdout, "hello you\n");
      const environment = { PATH: `/no/such::${folder}` };
      assert.equal((await output(["hello", "you"], { environment })).stdout, "hello you\n");
    }));

  test("passes on an environment larger than a pipe", () =>
    withSandbox(async ({ output }) => {
      const large = Object.fromEntries(
        Array.from({ length: 8 }, (_v, i) => [`LARGE${i}`, "x".repeat(100_000)]),
      );
      const { stdout } = await output(["sh", "-c", "env | wc -c"], {
        environment: { PATH: "/bin", ...large },
      });
      assert.ok(Number(stdout) > 800_000, stdout);
    }));

  test("gives up a start when its signal fires", () =>
    withSandbox(async (fixture) => {
      await refused(fixture, { signal: AbortSignal.abort() }, "ABORTED", /given up/);
      const abort = new AbortController();
      const start = refused(
        fixture,
        { command: ["sleep", "1000"], signal: abort.signal },
        "ABORTED",
        /given up/,
      );
      abort.abort();
      await start;
      const late = new AbortController();
      const sleeper = await fixture.run({ command: ["sleep", "1000"], signal: late.signal });
      late.abort();
      assert.deepEqual(await sleeper.end({ graceMs: 10_000 }), { code: null, signal: "SIGTERM" });
    }));

  test("starts twenty commands at once, each in its own namespaces", () =>
    withSandbox(async ({ output }) => {
      const names = Array.from({ length: 20 }, (_v, i) => `box${i}`);
      const script = "cat /proc/sys/kernel/hostname; echo $$; ls /proc/$$/fd; readlink /proc/self/ns/pid";
      const outputs = await Promise.all(names.map((hostname) => output(["sh", "-c", script], { hostname })));
      const namespaces = outputs.map(({ stdout }, i) => {
        const [name, pid, ...rest] = stdout.trim().split("\n");
        assert.deepEqual([name, pid, ...rest.slice(0, 3)], [names[i], "1", "0", "1", "2"]);
        return rest[3];
      });
      assert.equal(new Set(namespaces).size, 20);
    }));

  test("changes nothing on a host whose mounts are shared", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const script = join(import.meta.dirname, "run-one.js");
      // Folders of tests that run at the same time take their mounts along from here too when they go.
      const command = `seen() { grep -v ' ${tmpdir()}/' /proc/self/mountinfo; }; before=$(seen); node=$1; shift
        "$node" "$@" || exit 1; test "$before" = "$(seen)" && echo same`;
      const file = join(folder, "log");
      const args = ["--mount", "--propagation", "shared", "sh", "-c", command, "sh", process.execPath];
      const child = spawn("unshare", [...args, script, netnsPath, file, "ls", "/sys/class/net"]);
      const closed = once(child, "close");
      const [printed, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
      await closed;
      assert.equal(errors.join(""), "");
      assert.match(printed.join(""), /\nsame\n$/);
      assert.equal(readFileSync(file, "utf8"), "lo\nweft0\n");
    }));

  test("leaves a command that writes to a file alive when the program is killed", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const file = join(folder, "log");
      const go = join(folder, "go");
      const wait = `echo up; until test -e ${go}; do sleep 0.01; done; echo still here; exec sleep 1000`;
      const script = join(import.meta.dirname, "run-one.js");
      const program = spawn(process.execPath, [script, netnsPath, file, "sh", "-c", wait]);
      const [line] = await once(program.stdout, "data");
      const { pid } = JSON.parse(String(line));
      try {
        program.kill("SIGKILL");
        await once(program, "close");
        const spoken = changeOf(file, "still here");
        writeFileSync(go, "");
        await spoken;
        assert.ok(existsSync(`/proc/${pid}`));
      } finally {
        process.kill(pid, "SIGKILL");
      }
    }));

  test("lets the program end while a command runs", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const script = join(import.meta.dirname, "run-one.js");
      const args = [script, netnsPath, join(folder, "log"), "sleep", "1000"];
      const program = spawn(process.execPath, args, { env: { ...process.env, LEAVE: "1" } });
      const closed = once(program, "close");
      const { pid } = JSON.parse((await program.stdout.toArray()).join(""));
      try {
        assert.deepEqual(await closed, [0, null]);
        assert.equal(readFileSync(`/proc/${pid}/comm`, "utf8"), "sleep\n");
      } finally {
        process.kill(pid, "SIGKILL");
      }
    }));

  test("refuses to run before its start and after its end, and lets running commands go on", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const file = join(folder, "log");
      const init = { netnsPath, files: [], command: ["sleep", "1000"], stdio: { stdout: { file } } };
      const launcher = new Launcher();
      await assert.rejects(launcher.run(init), { code: "LAUNCH", message: /not been started/ });
      await launcher.start();
      const sleeper = await launcher.run(init);
      await launcher.close();
      await assert.rejects(launcher.run(init), { code: "LAUNCH", message: /closed/ });
      assert.ok(existsSync(`/proc/${sleeper.pid}`));
      assert.deepEqual(await sleeper.end({ graceMs: 10_000 }), { code: null, signal: "SIGTERM" });
      await launcher.close();
    }));
});

/** Resolves once `file` contains `text`. */
async function changeOf(file: string, text: string): Promise<void> {
  const watcher = watch(file);
  try {
    while (!readFileSync(file, "utf8").includes(text)) await once(watcher, "change");
  } finally {
    watcher.close();
  }
}
