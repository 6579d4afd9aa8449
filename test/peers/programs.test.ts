import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { withNetns } from "../netns-fixture.ts";
import { findProgram, ownNetns, runProgram, startServer } from "./programs.ts";

suite("programs that tests compare with", () => {
  test("are found by name, and one that is missing is named with its package", () => {
    assert.match(findProgram("nft"), /\/nft$/);
    assert.throws(() => findProgram("no-such-program"), { message: "no-such-program is not installed" });
  });

  test("run in a namespace, read what they are given, and tell what they complained of", () =>
    withNetns(1, async ([host]) => {
      host.exec("ip", "link", "add", "mark0", "type", "bridge");
      assert.match(await runProgram(host.path, "ip", ["-brief", "link"]), /mark0/);
      assert.equal(await runProgram(ownNetns, "cat", [], { input: "text" }), "text");
      await assert.rejects(runProgram(host.path, "ip", ["link", "show", "nothing"]), {
        message: 'ip link show nothing: 1: Device "nothing" does not exist.',
      });
    }));

  test("are killed when they take too long", () =>
    assert.rejects(runProgram(ownNetns, "sleep", ["1000"], { limitMs: 10 }), {
      message: "sleep 1000: killed, perhaps after 10 ms: ",
    }));

  test("that serve are waited for, and tell why they ended before", () =>
    withNetns(1, async ([host]) => {
      host.exec("ip", "link", "set", "lo", "up");
      const server = await startServer(host.path, "iperf3", ["--server", "--forceflush"], "Server listening");
      await runProgram(host.path, "iperf3", ["--client", "127.0.0.1", "--bytes", "1000"]);
      await server.stop();
      await assert.rejects(
        startServer(host.path, "iperf3", ["--no-such-option"], "Server listening"),
        /iperf3 --no-such-option: it ended \(1\) before it said "Server listening": /,
      );
    }));
});
