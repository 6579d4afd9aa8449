import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { withDaemon } from "./test-daemon.ts";

suite("the daemon's life by the command line", () => {
  test("weft up returns when it is ready, refuses a second one, and weft down ends it", () =>
    withDaemon(
      async (daemon) => {
        const up = ["up", "--netns", daemon.netns.path, ...daemon.folders];
        await daemon.ok(...up);
        assert.match(await daemon.ok("version"), /Server:/);
        const { Pid } = await daemon.client.info();
        const second = await daemon.weft(...up);
        assert.equal(second.status, 1);
        assert.equal(
          second.stderr,
          `weft: a daemon runs already at ${daemon.socketPath}, as process ${Pid}\n`,
        );
        await assert.rejects(daemon.start(), new RegExp(`is running.*${Pid}|${Pid}.*is running|${Pid}`));
        await daemon.ok("down", ...daemon.folders);
        const none = await daemon.weft("down", ...daemon.folders);
        assert.deepEqual([none.status, none.stderr], [1, `weft: no daemon runs at ${daemon.socketPath}\n`]);
      },
      { started: false },
    ));
});
