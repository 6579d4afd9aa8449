// `weft gossip` as people use it: agents as programs in namespaces, asked over their sockets.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parsePlace } from "../../src/cli/gossip-agent.ts";
import { keyLines, memberListing } from "../../src/cli/gossip-listing.ts";
import { listingRenderer } from "../../src/cli/text/listing.ts";
import { isWeftError } from "../../src/core/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { weftProgram } from "./weft-program.ts";

const weftGossip = [weftProgram, "gossip"];

/** Runs a command until what it prints is as it should be; the agents need a moment. */
async function prints(host: TestNetns, args: readonly string[], wanted: RegExp): Promise<string> {
  let last = "";
  for (let tries = 0; tries < 200; tries++) {
    try {
      last = host.exec(process.execPath, ...weftGossip, ...args);
    } catch (error) {
      last = String(error); // the agent does not answer yet
    }
    if (wanted.test(last)) return last;
    await delay(100);
  }
  return assert.fail(`${args.join(" ")} printed ${last}`);
}

async function withHost(work: (host: TestNetns, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "weft-gossip-"));
  try {
    await withNetns(["host"], async ({ host }) => {
      host.exec("ip", "link", "set", "lo", "up");
      await work(host, folder);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("agents in network-database mode list members, keys and the entries that they wrote", () =>
  withHost(async (host, folder) => {
    const key = Buffer.alloc(32, 1).toString("base64");
    const socket = (name: string) => path.join(folder, `${name}.sock`);
    const agent = (name: string, port: number, ...more: readonly string[]) => {
      const args = [
        "--mode",
        "networkdb",
        "--bind",
        `127.0.0.1:${port}`,
        "--name",
        name,
        "--encrypt",
        key,
        "--quiet",
      ];
      return host.start(process.execPath, [
        ...weftGossip,
        "agent",
        ...args,
        "--socket",
        socket(name),
        ...more,
      ]);
    };
    agent("n1", 7001, "--entry", "net1/endpoint_table/e1=hello");
    await prints(host, ["members", "--socket", socket("n1")], /^n1 +127\.0\.0\.1:7001 +alive *$/m);
    const second = agent("n2", 7002, "--network", "net1", "--join", "127.0.0.1:7001");
    await prints(host, ["members", "--socket", socket("n1")], /^n2 +127\.0\.0\.1:7002 +alive *$/m);
    await prints(host, ["tables", "--socket", socket("n2")], /^net1 +endpoint_table +e1 +n1 +68656c6c6f$/m);
    await prints(host, ["keys", "list", "--socket", socket("n2")], /1 of 1 members answered\n.*primary of 1/);
    const ended = once(second, "exit");
    second.kill("SIGINT");
    assert.deepEqual(await ended, [0, null]);
    await prints(host, ["members", "--socket", socket("n1")], /^n2 +127\.0\.0\.1:7002 +left$/m);
  }));

test("an agent says what is wrong with what it was asked", () =>
  withHost(async (host, folder) => {
    const run = (...args: readonly string[]) => host.exec(process.execPath, ...weftGossip, ...args);
    const socket = ["--socket", path.join(folder, "agent.sock")];
    assert.throws(() => run("members", ...socket), /no gossip agent answers at/);
    const bind = ["--bind", "127.0.0.1:7001"];
    assert.throws(
      () => run("agent", ...socket, ...bind, "--mode", "raft"),
      /--mode raft: it takes serf or networkdb/,
    );
    assert.throws(
      () => run("agent", ...socket, ...bind, "--encrypt", "c2hvcnQ="),
      /key of 5 bytes: it should have 16, 24 or 32/,
    );
    assert.throws(() => run("agent", ...socket, ...bind, "--profile", "moon"), /it takes lan, wan or local/);
    assert.throws(() => run("agent", ...socket, ...bind, "--join", "127.0.0.1:1"), /cannot join/);
    host.start(process.execPath, [
      ...weftGossip,
      "agent",
      ...socket,
      "--bind",
      "127.0.0.1:7003",
      "--name",
      "n1",
      "--tag",
      "role=web",
    ]);
    await prints(host, ["members", ...socket], /^n1 +127\.0\.0\.1:7003 +alive +role=web$/m);
    assert.throws(() => run("tables", ...socket), /Serf mode, which has no tables/);
    assert.throws(() => run("keys", "list", ...socket), /does not encrypt/);
    assert.throws(
      () => run("agent", ...socket, "--bind", "127.0.0.1:7004"),
      /another gossip agent answers at/,
    );
  }));

test("places are read as people write them", () => {
  for (const [text, address, port] of [
    ["10.0.0.1", "10.0.0.1", 7946],
    ["10.0.0.1:1", "10.0.0.1", 1],
    ["[2001:db8::1]:80", "2001:db8::1", 80],
    ["2001:db8::1", "2001:db8::1", 7946],
    ["[::1]", "::1", 7946],
  ] as const)
    assert.deepEqual(parsePlace(text), { address, port });
  for (const text of ["", "host", "10.0.0.1:", "10.0.0.1:99999", "10.0.0.1:x", "[10.0.0.1", ":7946"])
    assert.throws(
      () => parsePlace(text),
      (error) => isWeftError(error, "INVALID_ADDRESS"),
      text,
    );
});

test("listings are as other listings are, and keys a line each", () => {
  const member = (name: string, address: string, tags = {}) => ({
    Name: name,
    Address: address,
    Status: "alive",
    Tags: tags,
  });
  const lines = listingRenderer(memberListing, {})(
    [member("a", "10.0.0.1:7946", { role: "web", dc: "x" }), member("longer", "[::1]:1")],
    0,
  );
  assert.equal(
    lines,
    "NAME      ADDRESS         STATUS    TAGS\na         10.0.0.1:7946   alive     role=web,dc=x\nlonger    [::1]:1         alive\n",
  );
  const answer = { Members: 3, Answered: 2, Failures: { c: "no" }, Keys: { k: 2 }, Primaries: { k: 1 } };
  assert.equal(keyLines(answer), "2 of 3 members answered\nk  [2/3]  primary of 1\nc failed: no\n");
});
