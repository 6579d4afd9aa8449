import assert from "node:assert/strict";
import { test } from "node:test";
import { isKernelError } from "../../../src/kernel/kernel-error.ts";
import { discardAll, openListener } from "../../../src/kernel/netlink/listen.ts";
import { MulticastSocket } from "../../../src/kernel/netlink/multicast-socket.ts";
import { createLink, decodeLink, RTNLGRP_LINK } from "../../../src/kernel/netlink/rtnetlink/index.ts";
import { NETLINK_ROUTE } from "../../../src/kernel/netlink/socket.ts";
import * as sys from "../../../src/kernel/syscalls.ts";
import { withNetns } from "../../netns-fixture.ts";

const bridge = (name: string) => createLink({ name, kind: { kind: "bridge" } });

test("a drain gives what was told since the last one", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.run(() => MulticastSocket.open(NETLINK_ROUTE, [RTNLGRP_LINK]));
    try {
      const names = () => [...socket.drain()].map((message) => decodeLink(message)?.name);
      assert.deepEqual(names(), []);
      ns.netlink().request([bridge("a"), bridge("b")]);
      // Each message holds only until the next one, which is why it is decoded on the way.
      const told: (string | undefined)[] = [];
      for (const message of socket.drain()) told.push(decodeLink(message)?.name);
      assert.deepEqual(told, ["a", "b"]);
      assert.deepEqual(names(), []);
    } finally {
      socket.close();
    }
  });
});

test("an overrun is told once, and what happens after it is told again", async () => {
  await withNetns(1, ([ns]) => {
    const fd = ns.run(() => openListener(NETLINK_ROUTE, [RTNLGRP_LINK], 4096));
    try {
      const socket = ns.netlink();
      socket.request(Array.from({ length: 20 }, (_, i) => bridge(`b${i}`)));
      const buffer = Buffer.alloc(64 * 1024);
      const receive = () => sys.recv(fd, buffer, sys.MSG_DONTWAIT, "test");
      assert.throws(receive, (error) => isKernelError(error, "ENOBUFS"));
      discardAll(fd);
      assert.throws(receive, (error) => isKernelError(error, "EAGAIN"));
      socket.request([bridge("after")]);
      assert.ok(receive() > 0);
    } finally {
      sys.close(fd);
    }
  });
});
