import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { repositoryFolder } from "../fixture-file.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { patternOf, type TypedLine, typedLines } from "./console-blocks.ts";
import type { ConsoleSession } from "./console-session.ts";
import { withHost } from "./typing-host.ts";

test("typed lines are those of console blocks, with what they print", () => {
  const text =
    "$ not typed\n```console\n$ a b\n…\nx … y\nother$ c \\\n  d\nz\n```\n\n    $ nor this\n```sh\n$ nor that\n```\n";
  assert.deepEqual(typedLines(text), [
    { where: "", command: "a b", printed: ["…", "x … y"], lineNumber: 3 },
    { where: "other", command: "c \\\n  d", printed: ["z"], lineNumber: 6 },
  ]);
});

test("an ellipsis stands for any text, and for any lines", () => {
  const pattern = patternOf(["a … (b)", "…", "end"]);
  assert.match("a 1 2 (b)\nx\ny\nend\n", pattern);
  for (const other of ["a 1 (b)\nend\n", "a 1 b\nx\nend\n", "a 1 (b)\nx\nend\nmore\n"])
    assert.doesNotMatch(other, pattern);
  assert.match("", patternOf([]));
});

/** Links and rules of weft's, or anybody's. */
function leftOn(host: TestNetns): string {
  const links = host.exec("ip", "-o", "link").split("\n");
  const others = links.filter((line) => line !== "" && !/^\d+: (lo|up0)[:@]/.test(line));
  return others.join("\n") + host.exec("nft", "list", "ruleset");
}

function documentOf(name: string): string {
  return readFileSync(path.join(repositoryFolder(), name), "utf8");
}

/** Types what a document shows, one line after the other, and compares what it prints. */
async function typeAll(
  name: string,
  sessions: Readonly<Record<string, ConsoleSession>>,
): Promise<readonly TypedLine[]> {
  const lines = typedLines(documentOf(name));
  assert.notEqual(lines.length, 0);
  for (const { where, command, printed, lineNumber } of lines) {
    const session = sessions[where];
    assert.ok(session !== undefined, `${name}:${lineNumber}: nobody is ${where}`);
    const outcome = await session.type(command);
    const told = `${name}:${lineNumber}: ${command}\n${outcome.printed}`;
    // What is refused is shown too.
    assert.equal(outcome.status !== 0, printed[0]?.startsWith("weft: ") === true, told);
    assert.match(outcome.printed, patternOf(printed), told);
  }
  return lines;
}

test("the README's lines do what it shows, typed one after the other", () =>
  withHost(async (sessions, host) => {
    const lines = await typeAll("README.md", sessions);
    assert.ok(lines.some(({ where }) => where === "other"));
    assert.equal(leftOn(host), "");
  }));

test("the lines of docs/cli.md do what it shows, typed one after the other", () =>
  withHost(async (sessions) => {
    await typeAll("docs/cli.md", sessions);
  }));

for (const name of ["docs/api.md", "docs/daemon.md"]) {
  test(`the lines of ${name} do what it shows, where a daemon runs`, () =>
    withHost(async (sessions) => {
      assert.equal((await sessions[""]?.type("weft up"))?.status, 0);
      await typeAll(name, sessions);
    }));
}

test("docs/daemon.md names every metric of weft's own, and no other", () =>
  withHost(async (sessions) => {
    const shell = sessions[""];
    for (const command of ["weft up", "weft run -d --name web -p 8080:80 busybox httpd -f"])
      assert.equal((await shell?.type(command))?.status, 0);
    await shell?.type("weft exec web busybox nslookup nobody 127.0.0.11");
    const printed = (await shell?.type("weft metrics"))?.printed ?? "";
    const names = [...printed.matchAll(/^# TYPE (weft_(?!process_|nodejs_)\w+) /gm)].map(([, name]) => name);
    const cells = [...documentOf("docs/daemon.md").matchAll(/^\| (`weft_[^|]+) \|/gm)];
    const told = cells.flatMap(([, cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    assert.deepEqual(told.toSorted(), names.toSorted());
  }));
