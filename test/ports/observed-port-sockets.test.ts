import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { type HostPort, LinuxPortSockets, ObservedPortSockets } from "../../src/ports/index.ts";
import { withNetns } from "../netns-fixture.ts";

function port(protocol: HostPort["protocol"], address: string, hostPort: number): HostPort {
  return { protocol, hostAddress: parseAddress(address), hostPort };
}

test("what is tried out sees the ports and addresses that LinuxPortSockets would, and takes none", async () => {
  await withNetns(1, async ([host]) => {
    host.exec("ip", "link", "set", "lo", "up");
    host.exec("ip", "link", "add", "d0", "up", "type", "bridge");
    host.exec("ip", "address", "add", "192.0.2.1/24", "dev", "d0");
    host.exec("ip", "address", "add", "2001:db8::1/64", "dev", "d0", "nodad");
    const real = new LinuxPortSockets(host.path);
    const taken = [
      port("tcp", "192.0.2.1", 80),
      port("tcp", "::", 81),
      port("udp", "0.0.0.0", 53),
      port("udp", "2001:db8::1", 54),
      port("tcp", "127.0.0.1", 8080),
    ];
    const fds = real.batch(taken.length, () =>
      taken.flatMap((one) => {
        const opened = real.open(one);
        return opened.kind === "open" && opened.fd !== undefined ? [opened.fd] : [];
      }),
    );
    assert.equal(fds.length, taken.length);
    const mine = port("tcp", "127.0.0.1", 8080);
    const asked = [
      ...taken.slice(0, 4),
      port("tcp", "0.0.0.0", 80),
      port("tcp", "192.0.2.1", 81),
      port("tcp", "2001:db8::1", 81),
      port("udp", "192.0.2.1", 53),
      port("udp", "::", 54),
      port("udp", "192.0.2.1", 54),
      port("tcp", "192.0.2.2", 82),
      port("tcp", "2001:db8::2", 82),
      port("tcp", "::", 83),
    ];
    const kinds = (sockets: Pick<LinuxPortSockets, "batch" | "open" | "close">) =>
      asked.map((one) =>
        sockets.batch(1, () => {
          const opened = sockets.open(one);
          if (opened.kind === "open" && opened.fd !== undefined) sockets.close(opened.fd);
          return opened.kind;
        }),
      );
    const observed = new ObservedPortSockets(host.path, [mine]);
    assert.deepEqual(kinds(observed), kinds(real));
    assert.equal(observed.open(mine).kind, "open");
    for (const fd of fds) real.close(fd);
  });
});
