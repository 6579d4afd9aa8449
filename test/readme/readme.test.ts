import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { weftProgram } from "../cli/weft-program.ts";
import { repositoryFolder } from "../fixture-file.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { patternOf, typedLines } from "./console-blocks.ts";
import { ConsoleSession } from "./console-session.ts";

test("typed lines are those of console blocks, with what they print", () => {
  const text =
    "$ not typed\n```console\n$ a b\n…\nx … y\nother$ c\n```\n\n    $ nor this\n```sh\n$ nor that\n```\n";
  assert.deepEqual(typedLines(text), [
    { where: "", command: "a b", printed: ["…", "x … y"], lineNumber: 3 },
    { where: "other", command: "c", printed: [], lineNumber: 6 },
  ]);
});

test("an ellipsis stands for any text, and for any lines", () => {
  const pattern = patternOf(["a … (b)", "…", "end"]);
  assert.match("a 1 2 (b)\nx\ny\nend\n", pattern);
  for (const other of ["a 1 (b)\nend\n", "a 1 b\nx\nend\n", "a 1 (b)\nx\nend\nmore\n"])
    assert.doesNotMatch(other, pattern);
  assert.match("", patternOf([]));
});

/** The host and another machine, with a wire between them. */
function connect(host: TestNetns, other: TestNetns): void {
  host.exec("ip", "link", "set", "lo", "up");
  host.exec("ip", "link", "add", "up0", "type", "veth", "peer", "name", "wire0", "netns", other.path);
  host.exec("ip", "address", "add", "192.0.2.1/24", "dev", "up0");
  host.exec("ip", "link", "set", "up0", "up");
  other.exec("ip", "address", "add", "192.0.2.2/24", "dev", "wire0");
  other.exec("ip", "link", "set", "wire0", "up");
}

/** Links and rules of weft's, or anybody's. */
function leftOn(host: TestNetns): string {
  const links = host.exec("ip", "-o", "link").split("\n");
  const others = links.filter((line) => line !== "" && !/^\d+: (lo|up0)[:@]/.test(line));
  return others.join("\n") + host.exec("nft", "list", "ruleset");
}

/** A host with weft's usual folders and `weft` on its PATH, and another machine beside it, with somebody at each. */
async function withHost(
  work: (sessions: Readonly<Record<string, ConsoleSession>>, host: TestNetns) => Promise<void>,
): Promise<void> {
  await withNetns(["host", "other"], async ({ host, other }) => {
    connect(host, other);
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "weft-readme-")));
    const bin = path.join(folder, "bin");
    mkdirSync(bin);
    const weft = path.join(bin, "weft");
    writeFileSync(weft, `#!/bin/sh\nexec '${process.execPath}' '${weftProgram}' "$@"\n`, { mode: 0o755 });
    const init = { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, HOME: folder } };
    // The folders that weft has on every host are this host's own.
    const prepare = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib";
    const sessions = {
      "": new ConsoleSession(host, { ...init, prepare }),
      other: new ConsoleSession(other, init),
    };
    try {
      await work(sessions, host);
    } finally {
      await sessions[""].type("weft down --purge > /dev/null 2>&1");
      for (const session of Object.values(sessions)) await session.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

function documentOf(name: string): string {
  return readFileSync(path.join(repositoryFolder(), name), "utf8");
}

test("the README's lines do what it shows, typed one after the other", () =>
  withHost(async (sessions, host) => {
    const lines = typedLines(documentOf("README.md"));
    assert.ok(lines.some(({ where }) => where === "other"));
    for (const { where, command, printed, lineNumber } of lines) {
      const session = sessions[where];
      assert.ok(session !== undefined, `README.md:${lineNumber}: nobody is ${where}`);
      const outcome = await session.type(command);
      const told = `README.md:${lineNumber}: ${command}\n${outcome.printed}`;
      assert.equal(outcome.status, 0, told);
      assert.match(outcome.printed, patternOf(printed), told);
    }
    assert.equal(leftOn(host), "");
  }));

test("docs/daemon.md names every metric of weft's own, and no other", () =>
  withHost(async (sessions) => {
    const shell = sessions[""];
    assert.equal((await shell?.type("weft up"))?.status, 0);
    const printed = (await shell?.type("weft metrics"))?.printed ?? "";
    const names = [...printed.matchAll(/^# TYPE (weft_(?!process_|nodejs_)\w+) /gm)].map(([, name]) => name);
    const told = [...documentOf("docs/daemon.md").matchAll(/^\| `(weft_\w+)`/gm)].map(([, name]) => name);
    assert.deepEqual(told.toSorted(), names.toSorted());
  }));
