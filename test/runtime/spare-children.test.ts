import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { withSandbox } from "./sandbox-fixture.ts";
import { TypedTerminal } from "./typed-terminal.ts";

suite("processes that wait for a command to become", () => {
  test("become just what others do", () =>
    withSandbox(
      async ({ output, run, folder }) => {
        const script = `echo $$; ls /proc/$$/fd; cut -d ' ' -f 5,6 /proc/1/stat; cat /proc/sys/kernel/hostname
          grep -E '^(Sig(Blk|Ign)|CapEff)' /proc/self/status; cat; echo err >&2; exit 3`;
        const stdio = { stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const;
        const signals = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
        for (let i = 0; i < 4; i++) {
          const { stdout, stderr, code } = await output(["bash", "-c", script], { hostname: "box", stdio });
          assert.equal(stdout, `1\n0\n1\n2\n1 1\nbox\n${signals}CapEff:\t00000000a80425fb\n`);
          assert.deepEqual([stderr, code], ["err\n", 3]);
        }
        const cat = await run({
          command: ["cat"],
          stdio: { stdin: "pipe", stdout: { file: join(folder, "log") } },
        });
        cat.stdin?.end("words\n");
        await cat.exited;
        assert.equal(readFileSync(join(folder, "log"), "utf8"), "words\n");
        const { terminal } = await run({ command: ["tty"], terminal: {} });
        assert.ok(terminal);
        assert.match(await new TypedTerminal(terminal).rest(), /^\/dev\/pts/);
        await assert.rejects(run({ command: ["no-such"] }), { code: "COMMAND_NOT_FOUND" });
      },
      { spare: 2 },
    ));

  test("are used by more commands at once than there are", () =>
    withSandbox(
      async ({ output }) => {
        const names = Array.from({ length: 8 }, (_v, i) => `box${i}`);
        const seen = await Promise.all(names.map((hostname) => output(["hostname"], { hostname })));
        assert.deepEqual(
          seen.map(({ stdout }) => stdout.trim()),
          names,
        );
      },
      { spare: 3 },
    ));

  test("end with a program that is killed", () =>
    withSandbox(async ({ netnsPath, folder }) => {
      const script = join(import.meta.dirname, "run-one.js");
      const env = { ...process.env, SPARE: "2" };
      const program = spawn(process.execPath, [script, netnsPath, join(folder, "log"), "sleep", "1000"], {
        env,
      });
      const [line] = await once(program.stdout, "data");
      const { pid } = JSON.parse(String(line));
      const all = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, "utf8");
      const children = [...all.split(" "), ...workersChildren(program.pid ?? 0)].filter(
        (text) => text !== "",
      );
      const spares = children.map(Number).filter((child) => child !== pid);
      program.kill("SIGKILL");
      await once(program, "close");
      while (spares.some((spare) => existsSync(`/proc/${spare}`))) await setImmediate();
      assert.equal(readFileSync(`/proc/${pid}/comm`, "utf8"), "sleep\n");
      process.kill(pid, "SIGKILL");
      assert.ok(spares.length >= 1, children.join());
    }));
});

/** The children that the other threads of a process have started. */
function workersChildren(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`)
    .filter((task) => task !== String(pid))
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" "));
}
