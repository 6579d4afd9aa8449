import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../src/core/index.ts";
import { openTcpFor, openUdpTo, type Peer, sendDatagram } from "../../src/kernel/client-sockets.ts";
import { closeFd, isKernelError } from "../../src/kernel/index.ts";
import { withNetns } from "../netns-fixture.ts";

const loopback = (text: string): Peer => ({ address: parseAddress(text), port: 5353 });

test("a UDP socket is connected in its namespace, from a port of its own, in either family", async () => {
  await withNetns(1, ([ns]) => {
    ns.exec("ip", "link", "set", "lo", "up");
    const fds = [openUdpTo(ns.path, loopback("127.0.0.1")), openUdpTo(ns.path, loopback("::1"))];
    const sockets = ns.exec("ss", "-Huan");
    assert.match(sockets, /127\.0\.0\.1:\d+ +127\.0\.0\.1:5353/);
    assert.match(sockets, /\[::1\]:\d+ +\[::1\]:5353/);
    for (const fd of fds) sendDatagram(fd, Buffer.from("x"));
    for (const fd of fds) closeFd(fd);
  });
});

test("what cannot be opened leaves nothing open", async () => {
  await withNetns(1, ([ns]) => {
    const peer = loopback("192.0.2.1");
    const table: readonly (readonly [errno: string, open: () => number])[] = [
      ["ENETUNREACH", () => openUdpTo(ns.path, peer)],
      ["ENOENT", () => openUdpTo(`${ns.path}-none`, peer)],
      ["ENOENT", () => openTcpFor(`${ns.path}-none`, peer)],
      ["ENODEV", () => openUdpTo(ns.path, { ...peer, zone: "none0" })],
      ["ENODEV", () => openTcpFor(ns.path, { ...peer, zone: "none0" })],
    ];
    for (const [errno, open] of table) assert.throws(open, (error) => isKernelError(error, errno), errno);
  });
});
