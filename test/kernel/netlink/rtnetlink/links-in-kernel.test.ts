import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseInterfaceAddress, parseMac } from "../../../../src/core/index.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import type { NetlinkSocket, RequestOutcome } from "../../../../src/kernel/netlink/socket.ts";
import { withNetns } from "../../../netns-fixture.ts";

const taken = (outcomes: readonly RequestOutcome[]) => assert.deepEqual(outcomes.filter(Boolean), []);

function link(socket: NetlinkSocket, ref: rt.LinkRef): rt.Link {
  const found = rt.getLink(socket, ref);
  assert.ok(found !== undefined, `link ${ref}`);
  return found;
}

test("a bridge with its addresses, up, is one datagram, for its index can be chosen", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const mac = parseMac("02:42:00:00:00:01");
    taken(
      socket.request([
        rt.createLink({
          name: "br0",
          index: 1_000_001,
          mac,
          mtu: 1400,
          group: 77,
          txQueueLength: 5,
          up: true,
          kind: { kind: "bridge", stp: 0, forwardDelayMs: 0, multicastSnooping: false },
        }),
        rt.addAddress({ link: 1_000_001, address: parseInterfaceAddress("10.0.0.1/24") }),
        rt.addAddress({
          link: 1_000_001,
          address: parseInterfaceAddress("fd00::1/64"),
          flags: rt.IFA_F_NODAD,
        }),
      ]),
    );
    const { index, mtu, group, txQueueLength, up, kind, ...rest } = link(socket, "br0");
    assert.deepEqual(
      { index, mtu, group, txQueueLength, up, mac: rest.mac },
      { index: 1_000_001, mtu: 1400, group: 77, txQueueLength: 5, up: true, mac },
    );
    assert.ok(kind?.kind === "bridge");
    assert.equal(kind.forwardDelayMs, 0);
    assert.equal(kind.multicastSnooping, false);
    const addresses = rt.listAddresses(socket, { link: index }).map((one) => one.address);
    assert.deepEqual(addresses, ["10.0.0.1/24", "fd00::1/64"]);
  });
});

test("a veth is born into its bridge, up, with its other end complete in another namespace", async () => {
  await withNetns(["host", "sandbox"], ({ host, sandbox }) => {
    const inHost = host.netlink();
    const inSandbox = sandbox.netlink();
    const peer = {
      name: "eth0",
      index: 3001,
      mac: parseMac("02:42:0a:00:00:02"),
      mtu: 1300,
      group: 5,
      txQueueLength: 7,
      netnsFd: sandbox.fd,
    };
    taken(
      inHost.request([
        rt.createLink({ name: "br0", index: 3000, up: true, kind: { kind: "bridge" } }),
        rt.createLink({
          name: "v0",
          index: 3001,
          mtu: 1300,
          master: 3000,
          up: true,
          group: 77,
          kind: { kind: "veth", peer },
        }),
        rt.changeLink("v0", { alias: "weft", port: { hairpin: true, isolated: true } }),
      ]),
    );
    taken(
      inSandbox.request([
        rt.changeLink("eth0", { up: true, addrGenMode: "none" }),
        rt.addAddress({ link: 3001, address: parseInterfaceAddress("10.0.0.2/24") }),
      ]),
    );
    const near = link(inHost, "v0");
    assert.equal(near.master, 3000);
    assert.equal(near.lower, 3001);
    assert.equal(near.lowerNetnsId, rt.namespaceIdOf(inHost, sandbox.fd));
    assert.equal(near.alias, "weft");
    assert.equal(near.port?.hairpin, true);
    assert.equal(near.port?.isolated, true);
    assert.equal(near.operState, "up");
    const far = link(inSandbox, "eth0");
    const { index, mac, mtu, group, txQueueLength, name, addrGenMode } = far;
    assert.deepEqual({ name, index, mac, mtu, group, txQueueLength, netnsFd: sandbox.fd }, peer);
    assert.equal(addrGenMode, "none");
  });
});

test("what the creating request leaves aside is known", async () => {
  await withNetns(2, ([a, b]) => {
    const socket = a.netlink();
    const veth = (name: string, peer: rt.VethPeer) => rt.createLink({ name, kind: { kind: "veth", peer } });
    // A peer's index counts only beside a chosen first one.
    taken(socket.request([veth("v0", { name: "p0", index: 4000, netnsFd: b.fd })]));
    assert.notEqual(link(b.netlink(), "p0").index, 4000);
    const [outcome] = socket.request([
      rt.createLink({ name: "v1", index: link(socket, "v0").index, kind: { kind: "bridge" } }),
    ]);
    assert.equal(outcome?.errnoName, "EEXIST");
  });
});

test("links are changed by index and by name", async () => {
  await withNetns(2, ([a, b]) => {
    const socket = a.netlink();
    taken(socket.request([rt.createLink({ name: "old", index: 900, kind: { kind: "bridge" } })]));
    taken(
      socket.request([
        rt.changeLink(900, { name: "new" }),
        rt.changeLink("new", { mtu: 1280, group: 3, up: true }),
      ]),
    );
    assert.equal(link(socket, "new").mtu, 1280);
    taken(
      socket.request([
        rt.changeLink("new", { up: false }),
        rt.changeLink(900, { kind: { kind: "bridge", stp: 1 } }),
      ]),
    );
    const { up, kind } = link(socket, 900);
    assert.equal(up, false);
    assert.equal(kind?.kind === "bridge" ? kind.stp : undefined, 1);
    taken(socket.request([rt.changeLink("new", { mac: parseMac("02:00:00:00:00:09"), alias: "x" })]));
    taken(socket.request([rt.createLink({ name: "v", kind: { kind: "veth", peer: { name: "w" } } })]));
    taken(
      socket.request([rt.changeLink(link(socket, "w").index, { netnsFd: b.fd, name: "eth0", newIndex: 50 })]),
    );
    assert.equal(link(b.netlink(), 50).name, "eth0");
    assert.throws(() => rt.changeLink("new", { name: "newer" }), TypeError);
    const [missing] = socket.request([rt.changeLink("nothing", { up: true })]);
    assert.equal(missing?.errnoName, "ENODEV");
  });
});

test("links are deleted by index, by name, and by group in one request", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const bridges = Array.from({ length: 6 }, (_, i) =>
      rt.createLink({ name: `b${i}`, index: 100 + i, group: i < 4 ? 7 : 8, kind: { kind: "bridge" } }),
    );
    taken(socket.request(bridges));
    assert.equal(rt.listLinks(socket, { group: 7 }).length, 4);
    taken(socket.request([rt.deleteLinkGroup(7), rt.deleteLink("b4"), rt.deleteLink(105)]));
    assert.deepEqual(
      rt.listLinks(socket).map((one) => one.name),
      ["lo"],
    );
    const outcomes = socket.request([rt.deleteLinkGroup(7), rt.deleteLinkGroup(0), rt.deleteLink("b4")]);
    assert.deepEqual(
      outcomes.map((one) => one?.errnoName),
      ["ENODEV", "EPERM", "ENODEV"],
    );
    assert.equal(rt.getLink(socket, "b4"), undefined);
  });
});

test("links are listed by kind and by master", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    taken(
      socket.request([
        rt.createLink({ name: "br0", index: 100, kind: { kind: "bridge" } }),
        rt.createLink({ name: "v0", master: 100, kind: { kind: "veth", peer: { name: "v1" } } }),
        rt.createLink({ name: "ifb0", kind: { kind: "ifb" } }),
      ]),
    );
    const names = (filter: rt.LinkFilter) =>
      rt
        .listLinks(socket, filter)
        .map((one) => one.name)
        .sort();
    assert.deepEqual(names({ kind: "veth" }), ["v0", "v1"]);
    assert.deepEqual(names({ kind: "ifb" }), ["ifb0"]);
    assert.deepEqual(names({ master: 100 }), ["v0"]);
    assert.deepEqual(names({ master: 4711 }), []);
    // A kind that no module provides is a filter that the kernel does not apply.
    assert.deepEqual(names({ kind: "nosuchkind" }), []);
  });
});

test("vxlan and macvlan links are read as they were made", async () => {
  await withNetns(1, ([ns]) => {
    const socket = ns.netlink();
    const vxlan = {
      kind: "vxlan",
      id: 42,
      local: parseAddress("fd00::1"),
      remote: parseAddress("fd00::2"),
      port: 4789,
      learning: false,
      proxy: true,
      l2miss: true,
      l3miss: true,
    } as const;
    taken(
      socket.request([
        rt.createLink({ name: "br0", index: 100, kind: { kind: "bridge" } }),
        rt.createLink({ name: "vx", kind: vxlan }),
        rt.createLink({ name: "mv", lower: 100, kind: { kind: "macvlan", mode: "bridge" } }),
      ]),
    );
    const found = link(socket, "vx").kind;
    assert.deepEqual({ ...found, ...vxlan }, found);
    assert.equal(link(socket, "mv").lower, 100);
    assert.deepEqual(link(socket, "mv").kind, { kind: "macvlan", mode: "bridge", flags: 0 });
  });
});
