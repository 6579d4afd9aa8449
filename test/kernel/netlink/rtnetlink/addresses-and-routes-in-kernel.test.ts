import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseInterfaceAddress, parseMac, parsePrefix } from "../../../../src/core/index.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import type { NetlinkSocket, RequestOutcome } from "../../../../src/kernel/netlink/socket.ts";
import { withNetns } from "../../../netns-fixture.ts";

const br0 = 100;
const vx4 = 101;
const vx6 = 102;
const weftProtocol = 99;

const taken = (outcomes: readonly RequestOutcome[]) => assert.deepEqual(outcomes.filter(Boolean), []);
const names = (outcomes: readonly RequestOutcome[]) => outcomes.map((one) => one?.errnoName);

/** A bridge with a carrier and addresses, and two VXLAN links. */
async function withLinks(work: (socket: NetlinkSocket) => void): Promise<void> {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    taken(
      socket.request([
        rt.changeLink("lo", { up: true }),
        rt.createLink({ name: "br0", index: br0, up: true, kind: { kind: "bridge" } }),
        rt.createLink({
          name: "v0",
          index: 110,
          up: true,
          master: br0,
          kind: { kind: "veth", peer: { name: "v1" } },
        }),
        rt.changeLink("v1", { up: true }),
        rt.addAddress({ link: br0, address: parseInterfaceAddress("10.0.0.254/24") }),
        rt.addAddress({ link: br0, address: parseInterfaceAddress("fd00::fe/64"), flags: rt.IFA_F_NODAD }),
        rt.createLink({
          name: "vx4",
          index: vx4,
          kind: { kind: "vxlan", id: 4, local: parseAddress("10.0.0.254"), port: 4789 },
        }),
        rt.createLink({
          name: "vx6",
          index: vx6,
          kind: { kind: "vxlan", id: 6, local: parseAddress("fd00::fe"), port: 4790 },
        }),
      ]),
    );
    work(socket);
  });
}

test("addresses are added, replaced, listed by link, and deleted", async () => {
  await withLinks((socket) => {
    const v4 = { link: br0, address: parseInterfaceAddress("10.0.1.1/24"), protocol: weftProtocol };
    const v6 = {
      link: br0,
      address: parseInterfaceAddress("fd00:1::1/64"),
      flags: rt.IFA_F_NODAD | rt.IFA_F_NOPREFIXROUTE,
    };
    taken(socket.request([rt.addAddress(v4), rt.addAddress(v6)]));
    assert.deepEqual(names(socket.request([rt.addAddress(v4)])), ["EEXIST"]);
    const of = (address: string) =>
      rt.listAddresses(socket, { link: br0 }).find((one) => one.address === address);
    assert.equal(of("10.0.1.1/24")?.protocol, weftProtocol);
    assert.equal(of("fd00:1::1/64")?.flags, v6.flags | rt.IFA_F_PERMANENT);
    taken(socket.request([rt.replaceAddress({ ...v4, validSeconds: 1000 })]));
    assert.ok((of("10.0.1.1/24")?.validSeconds ?? 0) > 900);
    taken(socket.request([rt.deleteAddress(v4), rt.deleteAddress(v6)]));
    assert.deepEqual(names(socket.request([rt.deleteAddress(v4)])), ["EADDRNOTAVAIL"]);
    assert.equal(of("10.0.1.1/24"), undefined);
    assert.deepEqual(rt.listAddresses(socket, { link: 4711 }), []);
    assert.ok(rt.listAddresses(socket, { family: 4 }).every((one) => one.address.includes(".")));
  });
});

const routes: readonly { readonly what: string; readonly route: rt.Route }[] = [
  { what: "direct", route: { destination: parsePrefix("10.1.0.0/24"), link: br0 } },
  {
    what: "by a gateway, with metric and table",
    route: {
      destination: parsePrefix("10.2.0.0/24"),
      gateway: parseAddress("10.0.0.9"),
      link: br0,
      priority: 50,
      table: 1000,
    },
  },
  {
    what: "default",
    route: { destination: parsePrefix("0.0.0.0/0"), gateway: parseAddress("10.0.0.9"), link: br0 },
  },
  {
    what: "by an IPv6 gateway",
    route: { destination: parsePrefix("10.3.0.0/24"), via: parseAddress("fd00::9"), link: br0 },
  },
  {
    what: "with source and MTU",
    route: {
      destination: parsePrefix("10.4.0.0/24"),
      gateway: parseAddress("10.0.0.9"),
      link: br0,
      preferredSource: parseAddress("10.0.0.254"),
      mtu: 1300,
    },
  },
  { what: "blackhole", route: { destination: parsePrefix("10.5.0.0/24"), type: "blackhole" } },
  {
    what: "by several ways",
    route: {
      destination: parsePrefix("10.6.0.0/24"),
      nextHops: [
        { gateway: parseAddress("10.0.0.9"), link: br0, weight: 2, flags: 0 },
        { gateway: parseAddress("10.0.0.8"), link: br0, weight: 1, flags: 0 },
      ],
    },
  },
  { what: "direct IPv6", route: { destination: parsePrefix("fd01::/64"), link: br0, priority: 512 } },
  {
    what: "default IPv6",
    route: { destination: parsePrefix("::/0"), gateway: parseAddress("fd00::9"), link: br0, priority: 1024 },
  },
];

for (const { what, route } of routes) {
  test(`a route is read as it was made: ${what}`, async () => {
    await withLinks((socket) => {
      const ours = { ...route, protocol: weftProtocol };
      taken(socket.request([rt.addRoute(ours)]));
      assert.deepEqual(names(socket.request([rt.addRoute(ours)])), ["EEXIST"]);
      const [found, ...more] = rt.listRoutes(socket, { protocol: weftProtocol });
      assert.equal(more.length, 0);
      assert.deepEqual({ ...found, ...ours }, found);
      taken(socket.request([rt.replaceRoute(ours), rt.deleteRoute(ours)]));
      assert.deepEqual(names(socket.request([rt.deleteRoute(ours)])), ["ESRCH"]);
    });
  });
}

test("routes are listed by table, link, type and family", async () => {
  await withLinks((socket) => {
    const destination = parsePrefix("10.9.0.0/24");
    taken(socket.request([rt.addRoute({ destination, link: br0, table: 1000, protocol: weftProtocol })]));
    const count = (filter: rt.RouteFilter) => rt.listRoutes(socket, filter).length;
    assert.equal(count({ table: 1000 }), 1);
    assert.equal(count({ table: 1001 }), 0);
    assert.equal(count({ table: 1000, family: 6 }), 0);
    assert.equal(count({ link: br0, protocol: weftProtocol }), 1);
    assert.equal(count({ link: 4711 }), 0);
    assert.ok(rt.listRoutes(socket, { type: "local" }).every((one) => one.type === "local"));
    const all = rt.listRoutes(socket);
    assert.ok(
      all.some((one) => one.destination.includes(":")) && all.some((one) => one.destination.includes(".")),
    );
  });
});

test("neighbours are added, replaced, listed by link, and deleted; proxy entries apart", async () => {
  await withLinks((socket) => {
    const mac = parseMac("02:42:00:00:00:50");
    for (const address of [parseAddress("10.0.0.50"), parseAddress("fd00::50")]) {
      const one = { link: br0, address, mac, protocol: weftProtocol };
      taken(socket.request([rt.addNeighbour(one)]));
      assert.deepEqual(names(socket.request([rt.addNeighbour(one)])), ["EEXIST"]);
      taken(socket.request([rt.replaceNeighbour({ ...one, mac: parseMac("02:42:00:00:00:51") })]));
      const found = rt.listNeighbours(socket, { link: br0 }).find((other) => other.address === address);
      assert.deepEqual(found, { ...one, mac: "02:42:00:00:00:51", state: rt.NUD_PERMANENT, flags: 0 });
      assert.equal(rt.listNeighbours(socket, { link: vx4 }).length, 0);
      taken(socket.request([rt.deleteNeighbour(one)]));
    }
    const proxy = { link: br0, address: parseAddress("10.0.0.60"), flags: rt.NTF_PROXY };
    taken(socket.request([rt.addNeighbour(proxy)]));
    const proxies = rt.listNeighbours(socket, { family: 4, proxy: true });
    assert.deepEqual(
      proxies.map((one) => one.address),
      ["10.0.0.60"],
    );
    taken(socket.request([rt.deleteNeighbour(proxy)]));
  });
});

test("forwarding entries are added, replaced, appended, listed by link, and deleted", async () => {
  await withLinks((socket) => {
    for (const [link, first, second] of [
      [vx4, parseAddress("192.0.2.1"), parseAddress("192.0.2.2")],
      [vx6, parseAddress("2001:db8::1"), parseAddress("2001:db8::2")],
    ] as const) {
      const entry = { link, mac: parseMac("02:42:00:00:00:60"), owner: "self" } as const;
      taken(socket.request([rt.addFdbEntry({ ...entry, destination: first })]));
      assert.deepEqual(names(socket.request([rt.addFdbEntry({ ...entry, destination: first })])), ["EEXIST"]);
      taken(socket.request([rt.replaceFdbEntry({ ...entry, destination: second, port: 4444, vni: 9 })]));
      const listed = () => rt.listFdb(socket, { link });
      assert.deepEqual(listed(), [
        { ...entry, destination: second, port: 4444, vni: 9, state: rt.NUD_PERMANENT, flags: 0 },
      ]);
      taken(socket.request([rt.deleteFdbEntry(entry)]));
      const flood = { link, mac: rt.defaultFdbMac, owner: "self" } as const;
      taken(
        socket.request([
          rt.appendFdbEntry({ ...flood, destination: first }),
          rt.appendFdbEntry({ ...flood, destination: second }),
        ]),
      );
      taken(socket.request([rt.deleteFdbEntry({ ...flood, destination: first })]));
      assert.deepEqual(
        listed().map((one) => one.destination),
        [second],
      );
    }
    const ofBridge = { link: 110, mac: parseMac("02:42:00:00:00:61"), owner: "master" } as const;
    taken(socket.request([rt.addFdbEntry(ofBridge)]));
    // A kernel that filters VLANs has one more for each VLAN of the port.
    const found = rt
      .listFdb(socket, { master: br0 })
      .find(({ mac, vlan }) => mac === ofBridge.mac && vlan === undefined);
    assert.deepEqual(found, { ...ofBridge, master: br0, state: rt.NUD_NOARP, flags: 0 });
    taken(socket.request([rt.deleteFdbEntry(ofBridge)]));
  });
});

test("rules are added, listed by protocol, and deleted", async () => {
  await withLinks((socket) => {
    const rules: readonly rt.Rule[] = [
      { family: 4, priority: 100, from: parsePrefix("10.1.0.0/24"), table: 1000, protocol: weftProtocol },
      {
        family: 6,
        priority: 100,
        to: parsePrefix("fd00::/64"),
        iif: "br0",
        table: 7,
        protocol: weftProtocol,
      },
      {
        family: 4,
        priority: 101,
        mark: 1,
        mask: 0xff,
        table: 254,
        suppressPrefixLength: 0,
        protocol: weftProtocol,
      },
    ];
    taken(socket.request(rules.map(rt.addRule)));
    for (const rule of rules) {
      const listed = rt.listRules(socket, { family: rule.family, protocol: weftProtocol });
      const found = listed.find((one) => one.priority === rule.priority);
      assert.deepEqual({ ...found, ...rule }, found);
    }
    taken(socket.request(rules.map(rt.deleteRule)));
    assert.equal(rt.listRules(socket, { protocol: weftProtocol }).length, 0);
    assert.deepEqual(names(socket.request([rt.deleteRule({ family: 4, priority: 100 })])), ["ENOENT"]);
  });
});

test("a namespace is given an id by which another knows it", async () => {
  await withNetns(2, ([a, b]) => {
    const socket = a.netlink();
    assert.equal(rt.namespaceIdOf(socket, b.fd), undefined);
    taken(socket.request([rt.assignNamespaceId(b.fd, 7)]));
    assert.equal(rt.namespaceIdOf(socket, b.fd), 7);
    assert.deepEqual(names(socket.request([rt.assignNamespaceId(b.fd)])), ["EEXIST"]);
  });
});
