import assert from "node:assert/strict";
import { test } from "node:test";
import { errnoName, isKernelError, KernelError } from "../../src/kernel/kernel-error.ts";

test("an errno has the name that the kernel's headers give it first", () => {
  const table: readonly (readonly [number, string])[] = [
    [1, "EPERM"],
    [11, "EAGAIN"],
    [17, "EEXIST"],
    [95, "EOPNOTSUPP"],
    [117, "EUCLEAN"],
    [4711, "errno 4711"],
  ];
  for (const [errno, name] of table) assert.equal(errnoName(errno), name);
});

test("the message names call, object, errno and the kernel's words", () => {
  const error = new KernelError({ errno: 17, call: "RTM_NEWLINK", object: "link br0", words: "File exists" });
  assert.equal(error.message, "RTM_NEWLINK link br0: EEXIST (File exists)");
  assert.equal(error.code, "KERNEL");
});

test("the message says what to do where it is no fault of what was asked", () => {
  const error = new KernelError({ errno: 24, call: "socket", object: "domain 2 protocol 0" });
  assert.equal(
    error.message,
    "socket domain 2 protocol 0: EMFILE (this process has as many files open as it may; more by LimitNOFILE= of its " +
      "unit, or ulimit -n)",
  );
});

test("refusals are told apart by errno names, second names as well", () => {
  const again = new KernelError({ errno: 11, call: "flock", object: "file" });
  assert.ok(isKernelError(again));
  assert.ok(isKernelError(again, "EAGAIN"));
  assert.ok(isKernelError(again, "EWOULDBLOCK"));
  assert.ok(!isKernelError(again, "EEXIST", "ENOENT"));
  assert.ok(!isKernelError(new Error("EAGAIN"), "EAGAIN"));
});
