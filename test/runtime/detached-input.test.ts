import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { suite, test } from "node:test";
import { openInput, readLog } from "../../src/runtime/index.ts";
import { withSandbox } from "./sandbox-fixture.ts";

suite("a command whose input is a FIFO", () => {
  test("reads what comes, from whomever, and waits for more", () =>
    withSandbox(async ({ run, folder }) => {
      const fifo = join(folder, "in");
      const file = join(folder, "log");
      const cat = await run({ command: ["cat"], stdio: { stdin: { fifo }, stdout: { file } } });
      for (const word of ["one", "two"]) {
        const input = openInput(fifo);
        input.end(`${word}\n`);
        await once(input, "close");
      }
      let seen = "";
      for await (const chunk of readLog(file, { follow: true, ended: cat.exited })) {
        seen += String(chunk);
        if (seen === "one\ntwo\n") cat.kill();
      }
      assert.equal(seen, "one\ntwo\n");
      assert.deepEqual(await cat.exited, { code: null, signal: "SIGTERM" });
      assert.throws(() => openInput(fifo), { code: "COMMAND_ENDED" });
      assert.throws(() => openInput(join(folder, "none")), { code: "COMMAND_ENDED" });
    }));
});
