import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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

test("the README's lines do what it shows, typed one after the other", () =>
  withNetns(["host", "other"], async ({ host, other }) => {
    connect(host, other);
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "weft-readme-")));
    const sessions: Record<string, ConsoleSession> = {};
    try {
      const bin = path.join(folder, "bin");
      mkdirSync(bin);
      const weft = path.join(bin, "weft");
      writeFileSync(weft, `#!/bin/sh\nexec '${process.execPath}' '${weftProgram}' "$@"\n`);
      chmodSync(weft, 0o755);
      const init = { cwd: folder, env: { PATH: `${bin}:${process.env.PATH}`, HOME: folder } };
      // The folders that weft has on every host are this host's own.
      const prepare = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib";
      sessions[""] = new ConsoleSession(host, { ...init, prepare });
      sessions.other = new ConsoleSession(other, init);
      const lines = typedLines(readFileSync(path.join(repositoryFolder(), "README.md"), "utf8"));
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
    } finally {
      await sessions[""]?.type("weft down --purge > /dev/null 2>&1");
      for (const session of Object.values(sessions)) await session.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }));
