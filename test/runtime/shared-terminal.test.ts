import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { suite, test } from "node:test";
import { SharedTerminal } from "../../src/runtime/index.ts";
import { type SandboxFixture, withSandbox } from "./sandbox-fixture.ts";

async function withShared(
  { run, folder }: SandboxFixture,
  script: string,
  work: (shared: SharedTerminal, log: () => string) => Promise<void>,
): Promise<void> {
  const { terminal } = await run({ command: ["sh", "-c", script], terminal: { kept: true } });
  assert.ok(terminal);
  const path = join(folder, "log");
  const shared = new SharedTerminal(terminal, path, (error) => assert.fail(String(error)));
  try {
    await work(shared, () => readFileSync(path, "utf8"));
  } finally {
    await shared.close();
  }
}

/** Reads on until what was read matches. */
async function until(output: Readable, pattern: RegExp): Promise<string> {
  let seen = "";
  for await (const chunk of output.iterator({ destroyOnReturn: false })) {
    seen += String(chunk);
    if (pattern.test(seen)) break;
  }
  return seen;
}

const echo = 'while read line; do echo "got $line"; done';

suite("a terminal that is shared", () => {
  test("shows the same to all, and logs it, whoever is there", () =>
    withSandbox((fixture) =>
      withShared(fixture, echo, async (shared, log) => {
        const [one, two] = [shared.attach(), shared.attach()];
        one.input.write("first\n");
        const [seen, other] = await Promise.all([
          until(one.output, /got first\r\n/),
          until(two.output, /got first\r\n/),
        ]);
        assert.equal(seen, "first\r\ngot first\r\n");
        assert.equal(other, seen);
        one.output.destroy();
        two.input.write("second\n");
        await until(two.output, /got second\r\n/);
        two.output.destroy();
        const third = shared.attach();
        third.input.write("third\n\x04");
        assert.equal(await until(third.output, /never/), "third\r\ngot third\r\n");
        await shared.ended;
        assert.equal(log(), "first\r\ngot first\r\nsecond\r\ngot second\r\nthird\r\ngot third\r\n");
      }),
    ));

  test("waits for one who does not read, until he goes", () =>
    withSandbox((fixture) =>
      withShared(fixture, "read line; busybox seq 1 100000", async (shared, log) => {
        const slow = shared.attach();
        const quick = shared.attach();
        quick.input.write("\n");
        await until(quick.output, /\r\n100\r\n/);
        slow.output.destroy();
        assert.match(await until(quick.output, /never/), /\r\n100000\r\n$/);
        await shared.ended;
        assert.match(log(), /\r\n99999\r\n100000\r\n$/);
      }),
    ));
});
