import assert from "node:assert/strict";
import { existsSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isKernelError } from "../../src/kernel/kernel-error.ts";
import {
  createNetns,
  inNetns,
  inNetnsAt,
  isNetns,
  netnsIdentity,
  openNetns,
  removeNetns,
} from "../../src/kernel/netns.ts";
import { withNetns } from "../netns-fixture.ts";

const own = () => readlinkSync("/proc/thread-self/ns/net");

test("work runs inside a namespace and the thread comes back, also when it throws", async () => {
  await withNetns(1, ([ns]) => {
    const home = own();
    const inside = inNetns(ns.fd, own);
    assert.notEqual(inside, home);
    assert.equal(inNetnsAt(ns.path, own), inside);
    assert.equal(own(), home);
    const failing = () => {
      throw new Error("work");
    };
    assert.throws(() => inNetns(ns.fd, failing), /work/);
    assert.equal(own(), home);
    assert.equal(
      inNetns(ns.fd, () => readFileSync("/proc/thread-self/net/dev", "utf8").includes("lo:")),
      true,
    );
  });
});

test("a namespace is known by its mount, not by its file", async () => {
  await withNetns(2, ([a, b]) => {
    const folder = path.dirname(a.path);
    const plain = path.join(folder, "plain");
    writeFileSync(plain, "");
    assert.ok(isNetns(a.path));
    assert.ok(!isNetns(plain));
    assert.ok(!isNetns(path.join(folder, "nothing")));
    const unseen = path.join(folder, "loop");
    symlinkSync(unseen, unseen);
    assert.throws(
      () => isNetns(unseen),
      (error) => isKernelError(error, "ELOOP"),
    );
    assert.notEqual(netnsIdentity(a.path), netnsIdentity(b.path));
    assert.equal(netnsIdentity(a.path), netnsIdentity(`/proc/self/fd/${a.fd}`));
  });
});

test("a namespace is made once, and removing it twice does no harm", async () => {
  await withNetns(1, ([ns]) => {
    const other = path.join(path.dirname(ns.path), "other");
    createNetns(other);
    assert.throws(
      () => createNetns(other),
      (error) => isKernelError(error, "EEXIST"),
    );
    assert.ok(isNetns(other));
    removeNetns(other);
    removeNetns(other);
    assert.equal(existsSync(other), false);
    assert.throws(
      () => openNetns(other),
      (error) => isKernelError(error, "ENOENT"),
    );
  });
});
