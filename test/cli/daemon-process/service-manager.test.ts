import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { ServiceManager } from "../../../src/cli/daemon-process/service-manager.ts";
import { withFolder } from "../../api/http-fixture.ts";
import { NotifySocket } from "../../notify-socket.ts";

for (const kind of ["path", "abstract name"]) {
  test(`what a service tells reaches the socket at a ${kind}, in sd_notify's words`, () =>
    withFolder(async (folder) => {
      const address = kind === "path" ? path.join(folder, "notify") : `@weft-test-${process.pid}`;
      const socket = new NotifySocket(address);
      try {
        const env: Record<string, string> = { NOTIFY_SOCKET: address, PATH: "/bin" };
        const errors: string[] = [];
        const manager = await ServiceManager.of(env, (message) => errors.push(message));
        assert.deepEqual(env, { PATH: "/bin" }, "what it starts is told nothing of it");
        manager.status("one\n  and two");
        manager.ready("serving");
        manager.stopping("ending");
        assert.deepEqual(socket.heard(), [
          "STATUS=one; and two",
          "READY=1\nSTATUS=serving",
          "STOPPING=1\nSTATUS=ending",
        ]);
        assert.deepEqual(errors, []);
      } finally {
        socket.close();
      }
    }));
}

test("nobody is told where nobody waits, and who cannot be told is no failure", async () => {
  for (const [address, words] of [
    [undefined, undefined],
    ["", undefined],
    ["/no/such/socket", "cannot tell the service manager: connect /no/such/socket: ENOENT"],
    ["@weft-nobody-listens", "cannot tell the service manager: connect @weft-nobody-listens: ECONNREFUSED"],
    ["vsock:2:1234", 'cannot tell the service manager: "vsock:2:1234" is no unix socket\'s address'],
  ] as const) {
    const errors: string[] = [];
    const env = address === undefined ? {} : { NOTIFY_SOCKET: address };
    const manager = await ServiceManager.of(env, (message) => errors.push(message));
    manager.ready("serving");
    assert.deepEqual(errors, words === undefined ? [] : [words]);
  }
});
