import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { test } from "node:test";
import {
  abstractSocketOwner,
  bindAbstractSocket,
  closeFd,
  isKernelError,
  openUdpAndTcp,
  sendUnixDatagram,
} from "../../src/kernel/index.ts";
import { withNetns } from "../netns-fixture.ts";
import { NotifySocket } from "../notify-socket.ts";

test("an abstract name is one process's, in its namespace only, and gone with its socket", async () => {
  await withNetns(2, ([a, b]) => {
    assert.equal(abstractSocketOwner(a.path, "weft-test"), undefined);
    const fd = bindAbstractSocket(a.path, "weft-test");
    assert.throws(
      () => bindAbstractSocket(a.path, "weft-test"),
      (error) => isKernelError(error, "EADDRINUSE"),
    );
    for (let asked = 0; asked < 5; asked++) {
      const owner = abstractSocketOwner(a.path, "weft-test");
      assert.ok(owner?.pid === process.pid || (asked > 0 && owner === undefined), `${owner?.pid}`);
      assert.equal(owner?.uid ?? 0, 0);
    }
    assert.equal(abstractSocketOwner(b.path, "weft-test"), undefined);
    closeFd(bindAbstractSocket(b.path, "weft-test"));
    closeFd(fd);
    assert.equal(abstractSocketOwner(a.path, "weft-test"), undefined);
  });
});

test("a UDP and a TCP socket share an address and a port of the namespace", async () => {
  await withNetns(1, async ([ns]) => {
    ns.exec("ip", "link", "set", "lo", "up");
    const { udpFd, tcpFd } = openUdpAndTcp(ns.path, [127, 0, 0, 11], 5353);
    const server = createServer((socket) => socket.end("hello"));
    try {
      assert.match(ns.exec("ss", "-Hulan"), /127\.0\.0\.11:5353/);
      server.listen({ fd: tcpFd });
      await once(server, "listening");
      assert.match(ns.exec("ss", "-Htln"), /127\.0\.0\.11:5353/);
      assert.throws(
        () => openUdpAndTcp(ns.path, [127, 0, 0, 11], 5353),
        (error) => isKernelError(error, "EADDRINUSE"),
      );
    } finally {
      closeFd(udpFd);
      server.close();
      await once(server, "close");
    }
    assert.throws(
      () => openUdpAndTcp(path.join(ns.path, "none"), [127, 0, 0, 11], 5353),
      (error) => isKernelError(error),
    );
  });
});

test("a datagram is sent to a path or an abstract name, and to nothing that is no address", () => {
  const name = `@weft-datagram-${process.pid}`;
  const socket = new NotifySocket(name);
  try {
    sendUnixDatagram(name, Buffer.from("one"));
    sendUnixDatagram(name, Buffer.from("two\nlines"));
    assert.deepEqual(socket.heard(), ["one", "two\nlines"]);
  } finally {
    socket.close();
  }
  assert.throws(
    () => sendUnixDatagram(name, Buffer.from("late")),
    (error) => isKernelError(error, "ECONNREFUSED"),
  );
  for (const address of ["", "relative", `/${"x".repeat(107)}`, `@${"x".repeat(107)}`])
    assert.throws(() => sendUnixDatagram(address, Buffer.from("x")), RangeError, address);
});
