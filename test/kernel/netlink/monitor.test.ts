import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { isKernelError } from "../../../src/kernel/kernel-error.ts";
import { type MonitorEvent, NetlinkMonitor } from "../../../src/kernel/netlink/monitor.ts";
import {
  createLink,
  decodeLink,
  deleteLinkGroup,
  RTNLGRP_LINK,
} from "../../../src/kernel/netlink/rtnetlink/index.ts";
import { NETLINK_ROUTE } from "../../../src/kernel/netlink/socket.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";

const threads = () => readdirSync("/proc/self/task").length;
const pipes = () => readdirSync("/proc/self/fd").length;

function listen({ fd }: TestNetns, receiveBufferBytes?: number) {
  const monitor = NetlinkMonitor.open({
    netnsFd: fd,
    family: NETLINK_ROUTE,
    groups: [RTNLGRP_LINK],
    receiveBufferBytes,
  });
  const events: MonitorEvent[] = [];
  monitor.subscribe((batch) => events.push(...batch));
  const names = () =>
    events.map((event) => (event.kind === "message" ? decodeLink(event.message)?.name : event.kind));
  return { monitor, events, names };
}

const bridges = (count: number, prefix = "b") =>
  Array.from({ length: count }, (_, i) =>
    createLink({ name: `${prefix}${i}`, group: 7, kind: { kind: "bridge" } }),
  );

test("changes in a namespace are told in their order, to its own monitor only", async () => {
  await withNetns(2, async ([a, b]) => {
    const inA = listen(a);
    const inB = listen(b);
    a.netlink().request(bridges(3));
    await inA.monitor.flush();
    await inB.monitor.flush();
    assert.deepEqual(inA.names(), ["b0", "b1", "b2"]);
    assert.deepEqual(inB.names(), []);
    await inA.monitor.close();
    b.netlink().request(bridges(1));
    await inB.monitor.flush();
    assert.deepEqual(inB.names(), ["b0"]);
    await inB.monitor.close();
  });
});

test("events come without anybody asking", async () => {
  await withNetns(1, async ([ns]) => {
    const { monitor } = listen(ns);
    const told = new Promise<readonly MonitorEvent[]>((resolve) => monitor.subscribe(resolve));
    ns.exec("ip", "link", "add", "br0", "type", "bridge");
    assert.equal((await told)[0]?.kind, "message");
    await monitor.close();
  });
});

test("messages that the kernel had no room for are told as an overrun, after those that it kept", async () => {
  await withNetns(1, async ([ns]) => {
    const { monitor, names } = listen(ns, 4096);
    await monitor.pause();
    ns.netlink().request(bridges(50));
    monitor.resume();
    await monitor.flush();
    const told = names();
    assert.equal(told.at(-1), "overrun");
    assert.ok(told.length < 51);
    assert.equal(told[0], "b0");
    ns.netlink().request([deleteLinkGroup(7)]);
    await monitor.close();
  });
});

test("closing ends the thread and gives back every descriptor, also in the middle of a storm", async () => {
  await withNetns(1, async ([ns]) => {
    const first = listen(ns);
    await first.monitor.close();
    const before = { threads: threads(), fds: pipes() };
    for (let round = 0; round < 5; round++) {
      const open = Array.from({ length: 3 }, () => listen(ns));
      assert.ok(threads() > before.threads);
      ns.netlink().request(bridges(20, `r${round}x`));
      await Promise.all(open.map(({ monitor }) => monitor.close()));
      assert.equal(threads(), before.threads);
    }
    // The sockets of ns.netlink() close with the namespace.
    assert.equal(pipes() - 5, before.fds);
  });
});

test("after close nobody is told anything, and questions are answered", async () => {
  await withNetns(1, async ([ns]) => {
    const { monitor, names } = listen(ns);
    ns.netlink().request(bridges(10));
    const closed = monitor.close();
    assert.equal(monitor.close(), closed);
    await closed;
    await monitor.flush();
    await monitor.pause();
    monitor.resume();
    assert.deepEqual(names(), []);
  });
});

test("a group or namespace that is not there is refused, and leaves nothing open", async () => {
  await withNetns(1, async ([ns]) => {
    const before = pipes();
    const open = (options: { groups: number[]; netnsFd: number }) =>
      NetlinkMonitor.open({ family: NETLINK_ROUTE, ...options });
    assert.throws(
      () => open({ groups: [10_000], netnsFd: ns.fd }),
      (error) => isKernelError(error, "EINVAL"),
    );
    assert.throws(
      () => open({ groups: [RTNLGRP_LINK], netnsFd: 9999 }),
      (error) => isKernelError(error, "EBADF"),
    );
    assert.equal(pipes(), before);
  });
});

test("a process that exits does not wait for the thread", () => {
  const file = new URL("../../../src/kernel/netlink/monitor.js", import.meta.url).href;
  const program = `
    const { NetlinkMonitor } = await import(${JSON.stringify(file)});
    const monitor = NetlinkMonitor.open({ family: 0, groups: [1] });
    await monitor.flush();
    process.exit(7);
  `;
  const result = spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 20_000 });
  assert.equal(result.status, 7, result.stderr.toString());
});
