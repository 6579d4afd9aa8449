import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseInterfaceAddress, parseMac, parsePrefix } from "../../../src/core/index.ts";
import { LiveTable, type TableChange, type TableSource } from "../../../src/kernel/netlink/live-table.ts";
import * as rt from "../../../src/kernel/netlink/rtnetlink/index.ts";
import type { NetlinkSocket } from "../../../src/kernel/netlink/socket.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";

/** Runs `work` with a table that follows a namespace, and the changes that it told. */
async function following<T>(
  ns: TestNetns,
  source: TableSource<T>,
  work: (table: LiveTable<T>, socket: NetlinkSocket, changes: TableChange<T>[]) => Promise<void>,
  receiveBufferBytes?: number,
): Promise<void> {
  const table = LiveTable.open(source, { netnsFd: ns.fd, receiveBufferBytes });
  try {
    const changes: TableChange<T>[] = [];
    table.subscribe((some) => changes.push(...some));
    await work(table, ns.netlink(), changes);
  } finally {
    await table.close();
  }
}

/** Asserts that the table shows what a dump shows. */
function assertInStep<T>(table: LiveTable<T>, source: TableSource<T>, socket: NetlinkSocket): void {
  const dumped = new Map(source.list(socket).map((value) => [source.key(value), value]));
  assert.deepEqual(new Map([...table.entries].sort()), new Map([...dumped].sort()));
}

const veths = (from: number, count: number, group: number) =>
  Array.from({ length: count }, (_, i) =>
    rt.createLink({
      name: `v${from + i}`,
      group,
      up: true,
      kind: { kind: "veth", peer: { name: `p${from + i}`, group } },
    }),
  );

test("the table shows what is there when it is opened, and what changes", async () => {
  await withNetns(1, async ([ns]) => {
    ns.netlink().request([rt.createLink({ name: "br0", index: 100, kind: { kind: "bridge" } })]);
    await following(ns, rt.linkTable, async (table, socket, changes) => {
      assert.deepEqual([...table.entries.values()].map((link) => link.name).sort(), ["br0", "lo"]);
      socket.request([rt.changeLink(100, { mtu: 1300, up: true })]);
      await table.sync();
      assert.equal(table.entries.get("100")?.mtu, 1300);
      socket.request([rt.deleteLink(100)]);
      await table.sync();
      assert.deepEqual([...table.entries.keys()], ["1"]);
      assert.equal(changes[0]?.kind, "changed");
      assert.equal(changes.at(-1)?.kind, "removed");
      assert.equal(table.overruns, 0);
    });
  });
});

test("a 4 kB buffer overruns, and the table is read anew and misses nothing", async () => {
  await withNetns(1, async ([ns]) => {
    await following(
      ns,
      rt.linkTable,
      async (table, socket, changes) => {
        await table.monitor.pause();
        socket.request(veths(0, 150, 11));
        socket.request([
          rt.deleteLinkGroup(11),
          ...veths(150, 100, 12),
          rt.deleteLink("v160"),
          rt.deleteLink("v170"),
        ]);
        table.monitor.resume();
        await table.sync();
        assert.ok(table.overruns >= 1);
        assert.equal(table.entries.size, 1 + 2 * 98);
        assertInStep(table, rt.linkTable, socket);
        // What was told adds up to what is there.
        const told = new Set(["1"]);
        for (const change of changes) {
          if (change.kind === "removed") told.delete(rt.linkTable.key(change.former));
          else told.add(rt.linkTable.key(change.value));
        }
        assert.deepEqual(told, new Set(table.entries.keys()));
        socket.request([rt.deleteLinkGroup(12)]);
        await table.sync();
        assertInStep(table, rt.linkTable, socket);
      },
      4096,
    );
  });
});

test("a storm that the worker reads along with ends in step too", async () => {
  await withNetns(1, async ([ns]) => {
    await following(
      ns,
      rt.linkTable,
      async (table, socket) => {
        for (let round = 0; round < 4; round++) {
          await socket.requestSlow(veths(0, 40, 9));
          await socket.requestSlow(round < 3 ? [rt.deleteLinkGroup(9)] : [rt.deleteLink("v7")]);
        }
        await table.sync();
        assertInStep(table, rt.linkTable, socket);
        assert.equal(table.entries.size, 1 + 2 * 39);
      },
      4096,
    );
  });
});

test("a port's settings are followed, which bridges tell in a form of their own", async () => {
  await withNetns(1, async ([ns]) => {
    await following(ns, rt.linkTable, async (table, socket) => {
      socket.request([
        rt.createLink({ name: "br0", index: 100, up: true, kind: { kind: "bridge" } }),
        rt.createLink({
          name: "v0",
          index: 101,
          up: true,
          master: 100,
          kind: { kind: "veth", peer: { name: "v1" } },
        }),
        rt.changeLink("v1", { up: true }),
      ]);
      ns.exec("bridge", "link", "set", "dev", "v0", "hairpin", "on");
      await table.sync();
      assert.equal(table.entries.get("101")?.port?.hairpin, true);
      assertInStep(table, rt.linkTable, socket);
    });
  });
});

test("addresses, routes and neighbours are followed", async () => {
  await withNetns(1, async ([ns]) => {
    const link = 100;
    ns.netlink().request([
      rt.createLink({ name: "br0", index: link, up: true, kind: { kind: "bridge" } }),
      rt.createLink({ name: "v0", up: true, master: link, kind: { kind: "veth", peer: { name: "v1" } } }),
      rt.changeLink("v1", { up: true }),
    ]);
    const v4 = { link, address: parseInterfaceAddress("10.0.0.1/24") };
    const v6 = { link, address: parseInterfaceAddress("fd00::1/64"), flags: rt.IFA_F_NODAD };
    const route = { destination: parsePrefix("10.1.0.0/24"), link, gateway: parseAddress("10.0.0.9") };
    const neighbour = { link, address: parseAddress("10.0.0.9"), mac: parseMac("02:42:00:00:00:09") };
    await following(ns, rt.addressTable, async (addresses, socket) => {
      await following(ns, rt.routeTable, async (routes) => {
        await following(ns, rt.neighbourTable, async (neighbours) => {
          socket.request([
            rt.addAddress(v4),
            rt.addAddress(v6),
            rt.addRoute(route),
            rt.addNeighbour(neighbour),
          ]);
          await Promise.all([addresses.sync(), routes.sync(), neighbours.sync()]);
          assert.ok([...addresses.entries.values()].some((one) => one.address === v6.address));
          assert.ok([...routes.entries.values()].some((one) => one.destination === route.destination));
          assert.ok([...neighbours.entries.values()].some((one) => one.mac === neighbour.mac));
          socket.request([rt.deleteNeighbour(neighbour), rt.deleteRoute(route), rt.deleteAddress(v4)]);
          await Promise.all([addresses.sync(), routes.sync(), neighbours.sync()]);
          assert.ok([...addresses.entries.values()].every((one) => one.address !== v4.address));
          assert.ok([...routes.entries.values()].every((one) => one.destination !== route.destination));
        });
      });
    });
  });
});

test("a table that cannot be read any more says so once, and to everybody who waits for it", async () => {
  await withNetns(1, async ([ns]) => {
    const errors: unknown[] = [];
    const torn: TableSource<rt.Link> = {
      ...rt.linkTable,
      events: () => {
        throw new Error("unreadable");
      },
    };
    const table = LiveTable.open(torn, { netnsFd: ns.fd, onFailure: (error) => errors.push(error) });
    ns.netlink().request(veths(0, 2, 3));
    await assert.rejects(table.sync(), /unreadable/);
    await assert.rejects(table.sync(), /unreadable/);
    assert.equal(errors.length, 1);
    await table.close();
  });
});
