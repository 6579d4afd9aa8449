import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { namespaces, withSandbox } from "./sandbox-fixture.ts";

suite("what a command sees in a sandbox", () => {
  test("the sandbox's host name and domain name; the host keeps its own", () =>
    withSandbox(async ({ output }) => {
      const before = hostname();
      const names = ["cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"];
      const seen = await output(names, { hostname: "box", domainName: "example.org" });
      assert.equal(seen.stdout, "box\nexample.org\n");
      assert.equal(hostname(), before);
    }));

  test("the host's own host name when none is given", () =>
    withSandbox(async ({ output }) => {
      assert.equal((await output(["cat", "/proc/sys/kernel/hostname"])).stdout, `${hostname()}\n`);
    }));

  test("its own processes only, of which it is the first", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["sh", "-c", "echo $$; echo /proc/[0-9]*; sleep 0"]);
      assert.equal(stdout, "1\n/proc/1\n");
    }));

  test("the links of its network namespace only, in /sys as in /proc", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["sh", "-c", "ls /sys/class/net; ls /proc/sys/net/ipv6/conf"]);
      assert.equal(stdout, "lo\nweft0\nall\ndefault\nlo\nweft0\n");
    }));

  test("the host's cgroups", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["ls", "-1", "-U", "/sys/fs/cgroup"]);
      assert.deepEqual(stdout.split("\n").slice(0, -1).sort(), readdirSync("/sys/fs/cgroup").sort());
    }));

  test("the host's links in the host's own network", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["ls", "-1", "-U", "/sys/class/net"], {
        netnsPath: "/proc/self/ns/net",
      });
      assert.deepEqual(stdout.split("\n").slice(0, -1).sort(), readdirSync("/sys/class/net").sort());
    }));

  test("the sandbox's files, as they change, in place of the host's", () =>
    withSandbox(async ({ output, run, folder }) => {
      const before = readFileSync("/etc/hosts", "utf8");
      const source = join(folder, "hosts");
      writeFileSync(source, "10.0.0.2 one\n");
      const files = [{ source, target: "/etc/hosts" }];
      assert.equal((await output(["cat", "/etc/hosts"], { files })).stdout, "10.0.0.2 one\n");

      const reader = await run({
        command: ["sh", "-c", "read line; cat /etc/hosts"],
        files,
        stdio: { stdin: "pipe", stdout: "pipe" },
      });
      writeFileSync(source, "10.0.0.3 two\n");
      reader.stdin?.end("go\n");
      assert.equal(String((await reader.stdout?.toArray())?.join("")), "10.0.0.3 two\n");
      assert.equal(readFileSync("/etc/hosts", "utf8"), before);
    }));

  test("a file that the host lacks, which the host still lacks afterwards", () =>
    withSandbox(async ({ output, folder }) => {
      const source = join(folder, "resolv.conf");
      const etc = join(folder, "etc");
      writeFileSync(source, "nameserver 127.0.0.11\n");
      const made = await output(["sh", "-c", `mkdir -m 750 ${etc} && echo kept > ${etc}/other && ls ${etc}`]);
      assert.equal(made.stdout, "other\n");
      symlinkSync("../nowhere/resolv.conf", join(etc, "dangling"));
      const files = ["missing", "dangling"].map((name) => ({ source, target: join(etc, name) }));

      const script = `cd ${etc}; cat missing dangling other; stat -c %a .; echo new > new; ls`;
      const seen = await output(["sh", "-c", script], { files });
      const lines = ["nameserver 127.0.0.11", "nameserver 127.0.0.11", "kept", "750"];
      assert.equal(seen.stderr, "");
      assert.deepEqual(seen.stdout.trim().split("\n"), [...lines, "dangling", "missing", "new", "other"]);

      assert.equal((await output(["ls", etc])).stdout, "dangling\nother\n");
      assert.equal(readlinkSync(join(etc, "dangling")), "../nowhere/resolv.conf");
    }));

  test("only the three standard streams, and a fresh program's signals", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["sh", "-c", "ls /proc/$$/fd"]);
      assert.equal(stdout, "0\n1\n2\n");
      // Not a shell's own: that blocks signals at times.
      const signals = await output(["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]);
      assert.equal(signals.stdout, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    }));

  test("the environment, folder and user that were asked for", () =>
    withSandbox(async ({ output }) => {
      const script = "env | sort; pwd; id -u; id -g; id -G; grep CapEff /proc/self/status";
      const { stdout } = await output(["sh", "-c", script], {
        environment: { PATH: "/usr/bin:/bin", NAME: "a=b c", GONE: undefined },
        cwd: "/usr",
        user: { uid: 1234, gid: 4321 },
      });
      const expected = [
        "HOME=/",
        `HOSTNAME=${hostname()}`,
        "NAME=a=b c",
        "PATH=/usr/bin:/bin",
        "PWD=/usr",
        "/usr",
        "1234",
        "4321",
        "4321",
      ];
      assert.deepEqual(stdout.trim().split("\n"), [...expected, "CapEff:\t0000000000000000"]);
    }));

  test("Docker's variables and the caller's folder otherwise", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["env"], { hostname: "box" });
      const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
      assert.equal(stdout, `${path}\nHOSTNAME=box\nHOME=/root\n`);
      assert.equal((await output(["pwd"])).stdout, `${process.cwd()}\n`);
      const { stdout: bare } = await output(["/usr/bin/env"], {
        environment: { PATH: undefined, HOSTNAME: undefined, HOME: "/x" },
      });
      assert.equal(bare, "HOME=/x\n");
    }));

  test("no namespace of other sandboxes, which it would keep alive", () =>
    withSandbox(async ({ output }) => {
      const { stdout } = await output(["sh", "-c", "grep -c ' - nsfs ' /proc/self/mountinfo"]);
      assert.equal(stdout, "0\n");
    }));

  test("while no thread of the caller is in another namespace", () =>
    withSandbox(async ({ run }) => {
      const before = namespaces();
      const process = await run({ command: ["sleep", "1000"] });
      assert.deepEqual(namespaces(), before);
      assert.equal(before.length, 4); // mnt, net, uts, pid; pid_for_children is the same as pid
      await process.end({ graceMs: 10_000 });
    }));
});
