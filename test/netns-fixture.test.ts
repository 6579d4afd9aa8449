import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { openNetns } from "../src/kernel/netns.ts";
import * as sys from "../src/kernel/syscalls.ts";
import { withNetns } from "./netns-fixture.ts";

test("namespaces come by number or by name, are empty, and are gone afterwards", async () => {
  const paths = await withNetns(2, ([a, b]) => {
    assert.notEqual(a.path, b.path);
    assert.match(a.exec("ip", "-o", "link"), /^1: lo: .*\n$/);
    return [a.path, b.path];
  });
  const named = await withNetns(["host", "sandbox"], ({ host, sandbox }) => {
    assert.equal(sandbox.name, "sandbox");
    return host.path;
  });
  for (const path of [...paths, named]) assert.equal(existsSync(path), false);
});

test("they are removed when the work throws, and its error is the one that is seen", async () => {
  let path = "";
  const failing = withNetns(1, ([ns]) => {
    path = ns.path;
    throw new Error("the work's own");
  });
  await assert.rejects(failing, /the work's own/);
  assert.equal(existsSync(path), false);
});

test("a program started in a namespace is killed with it", async () => {
  const child = await withNetns(1, ([ns]) => ns.start("sleep", ["1000"]));
  assert.equal(child.signalCode, "SIGKILL");
});

test("a descriptor that the work leaves open is told", async () => {
  let fd = -1;
  const leaking = withNetns(1, ([ns]) => {
    fd = openNetns(ns.path);
  });
  await assert.rejects(leaking, /left behind: fd \d+ \(namespace/);
  sys.close(fd);
});

test("a process that the work leaves running is told", async () => {
  let child: ChildProcess | undefined;
  const leaking = withNetns(["host"], ({ host }) => {
    child = host.run(() => spawn("sleep", ["1000"], { stdio: "ignore" }));
  });
  await assert.rejects(leaking, /left behind: process \d+ \(sleep 1000\) in host/);
  child?.kill("SIGKILL");
});

test("a failing program's words are in the error", async () => {
  await withNetns(1, ([ns]) => {
    assert.throws(() => ns.exec("ip", "link", "show", "nothing"), /does not exist/);
  });
});
