import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { makeBusyboxRoot } from "./busybox-root.ts";
import { withSandbox } from "./sandbox-fixture.ts";

suite("a command with a root folder of its own", () => {
  test("sees the folder as /, with what a container expects in it", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const script = `pwd; ls /; ls /dev; ls /dev/pts; cat /proc/1/comm; ls /sys/class/net; ls -d ${folder} /usr
        head -c 3 /dev/zero | wc -c; echo gone > /dev/null; readlink /dev/fd; readlink /dev/ptmx; echo err > /dev/stderr`;
      const { stdout, stderr } = await output(["sh", "-c", script], { rootfs });
      const lines = stdout.trim().split("\n");
      const devices = ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm"];
      const more = ["stderr", "stdin", "stdout", "tty", "urandom", "zero"];
      assert.deepEqual(lines, [
        ...["/", "bin", "dev", "etc", "proc", "sys", "tmp"],
        ...devices,
        ...more,
        ...["ptmx", "sh", "lo", "weft0", "3", "/proc/self/fd", "pts/ptmx"],
      ]);
      assert.match(stderr, new RegExp(`${folder}: No such file`));
      assert.match(stderr, /\/usr: No such file/);
      assert.match(stderr, /\nerr\n$/);
    }));

  test("sees the sandbox's files, also where the folder had none", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      rmSync(join(rootfs, "etc"), { recursive: true });
      const source = join(folder, "hosts");
      writeFileSync(source, "10.0.0.2 one\n");
      const files = [
        { source, target: "/etc/hosts" },
        { source, target: "/opt/deep/hosts" },
      ];
      const { stdout } = await output(["cat", "/etc/hosts", "/opt/deep/hosts"], { rootfs, files });
      assert.equal(stdout, "10.0.0.2 one\n10.0.0.2 one\n");
      assert.equal(readFileSync(join(rootfs, "etc/hosts"), "utf8"), ""); // made to be mounted on
    }));

  test("writes into the folder, and cannot when it is read-only", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const script = "umask; echo kept > /tmp/file; echo shared > /dev/shm/file; cat /dev/shm/file";
      assert.equal((await output(["sh", "-c", script], { rootfs })).stdout, "0022\nshared\n");
      assert.equal(readFileSync(join(rootfs, "tmp/file"), "utf8"), "kept\n");
      rmSync(join(rootfs, "tmp/file"));
      const closed = await output(["sh", "-c", script], { rootfs, readOnly: true });
      assert.match(closed.stderr, /\/tmp\/file: Read-only file system/);
      assert.equal(closed.stdout, "0022\nshared\n");
      assert.ok(!existsSync(join(rootfs, "tmp/file")));
    }));

  test("cannot write to the host's root either when that is to be read-only", () =>
    withSandbox(async ({ output, folder }) => {
      const file = join(folder, "file");
      const hosts = join(folder, "hosts");
      writeFileSync(hosts, "");
      const script = `echo x > ${file}; echo x > /etc/hosts; echo x > /dev/null && echo devices`;
      const files = [{ source: hosts, target: "/etc/hosts" }];
      const { stdout, stderr } = await output(["sh", "-c", script], { readOnly: true, files });
      assert.equal(stdout, "devices\n");
      assert.equal(stderr.match(/Read-only file system/g)?.length, 2, stderr);
      writeFileSync(file, "the host's own mounts are as they were");
    }));

  test("reaches no disk of the host by a device file", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const script = "for at in /tmp /dev /dev/shm; do mknod $at/zero2 c 1 5; head -c 1 $at/zero2; done";
      const { stderr } = await output(["sh", "-c", script], { rootfs });
      assert.equal(stderr.match(/Permission denied/g)?.length, 3, stderr);
    }));

  test("has the host's devices and settings when it is privileged", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const script =
        "test -e /dev/kmsg && echo kmsg; mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted";
      const { stdout } = await output(["sh", "-c", script], { rootfs, privileged: true });
      assert.equal(stdout, "kmsg\nmounted\n");
    }));

  test("runs as a user of the folder's own, with its groups and home", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const command = ["sh", "-c", "id; echo $HOME"];
      for (const [user, expected] of [
        ["ann", "uid=1001(ann) gid=1002(ann) groups=10(wheel),50(staff)\n/home/ann\n"],
        ["1001:staff", "uid=1001(ann) gid=50(staff)\n/home/ann\n"],
        ["77", "uid=77 gid=0(root)\n/\n"],
        ["", "uid=0(root) gid=0(root)\n/root\n"],
      ] as const) {
        assert.equal((await output(command, { rootfs, user })).stdout, expected, user);
      }
      await assert.rejects(output(command, { rootfs, user: "daemon" }), { code: "INVALID_COMMAND" });
    }));

  test("may write to its own streams as another user", () =>
    withSandbox(async ({ run, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const file = join(folder, "log");
      const command = ["sh", "-c", "echo one > /dev/stdout; echo two >> /dev/stderr"];
      const started = await run({
        command,
        rootfs,
        user: "ann",
        stdio: { stdout: { file }, stderr: { file } },
      });
      assert.deepEqual(await started.exited, { code: 0, signal: null });
      assert.equal(readFileSync(file, "utf8"), "one\ntwo\n");
    }));

  test("has its files where relative links lead within it, and not on the host", () =>
    withSandbox(async ({ output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const source = join(folder, "source");
      writeFileSync(source, "the sandbox's\n");
      // As /etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf, on a host that has that file.
      const stub = join(folder, "stub");
      writeFileSync(stub, "the host's\n");
      symlinkSync(`..${stub}`, join(rootfs, "etc/resolv.conf"));
      mkdirSync(join(rootfs, "run"));
      writeFileSync(join(rootfs, "run/hosts"), "the folder's\n");
      symlinkSync("../../../run/hosts", join(rootfs, "etc/hosts"));
      const files = ["/etc/resolv.conf", "/etc/hosts"].map((target) => ({ source, target }));
      const { stdout, stderr } = await output(["cat", "/etc/resolv.conf", "/run/hosts"], { rootfs, files });
      assert.deepEqual([stdout, stderr], ["the sandbox's\nthe sandbox's\n", ""]);
      assert.equal(readFileSync(stub, "utf8"), "the host's\n");
    }));

  test("is led out of it by no symbolic link", () =>
    withSandbox(async ({ run, output, folder }) => {
      const rootfs = makeBusyboxRoot(folder);
      const outside = join(folder, "outside");
      mkdirSync(outside);
      rmSync(join(rootfs, "etc"), { recursive: true });
      symlinkSync(outside, join(rootfs, "etc"));
      const files = [{ source: join(rootfs, "bin/busybox"), target: "/etc/hosts" }];
      await assert.rejects(run({ command: ["true"], rootfs, files }), { code: "LAUNCH" });
      rmSync(join(rootfs, "etc"));
      rmSync(join(rootfs, "proc"), { recursive: true });
      symlinkSync("/", join(rootfs, "proc"));
      await assert.rejects(run({ command: ["true"], rootfs }), {
        code: "LAUNCH",
        message: /\/proc: it should be a folder/,
      });
      rmSync(join(rootfs, "proc"));
      assert.equal((await output(["cat", "/proc/self/comm"], { rootfs })).stdout, "cat\n");
      assert.ok(!existsSync(join(outside, "hosts")));
    }));

  test("is refused when the folder is not there", () =>
    withSandbox(async ({ run, folder }) => {
      await assert.rejects(run({ command: ["true"], rootfs: join(folder, "none") }), {
        code: "INVALID_COMMAND",
        message: /rootfs ".*none" is no folder/,
      });
      const rootfs = makeBusyboxRoot(folder);
      await assert.rejects(run({ command: ["no-such"], rootfs }), { code: "COMMAND_NOT_FOUND" });
    }));
});
