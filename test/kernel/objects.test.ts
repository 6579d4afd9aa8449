import assert from "node:assert/strict";
import { test } from "node:test";
import {
  alsoProvides,
  containersOf,
  hostNetns,
  identityOf,
  linkIdentity,
  type NftElementObject,
  netnsIdentityOf,
  tableIdentity,
  takenAlongBy,
  takesAlong,
} from "../../src/kernel/index.ts";
import type { KeyPart } from "../../src/kernel/netlink/nftables/index.ts";
import {
  address,
  adopted,
  bridge,
  element,
  file,
  ipvlan,
  macvlan,
  netns,
  port,
  route,
  sandbox,
  sysctl,
  table,
  up,
  veth,
  vlan,
} from "../plan/objects.ts";

const everything = [
  netns(),
  file("hosts", ""),
  bridge(),
  veth(),
  sysctl("a/b", "1"),
  sysctl("a/br0", "1", "br0"),
  port(),
  address("br0", "10.0.0.1/24"),
  up("br0"),
  up("lo", sandbox),
  route("eth0", "10.0.0.1"),
  table(),
  table(sandbox),
  element("a"),
  element("b"),
];

test("every object has an identity of its own, which its value does not change", () => {
  assert.equal(new Set(everything.map(identityOf)).size, everything.length);
  assert.equal(identityOf(bridge("br0", { mtu: 1 })), identityOf(adopted("br0")));
  assert.equal(identityOf(sysctl("k", "1")), identityOf(sysctl("k", "2", "br0")));
  assert.equal(identityOf(port("veth0", "br0")), identityOf(port("veth0", "br1")));
  assert.equal(identityOf(route("eth0", "10.0.0.1")), identityOf(route("eth1", "10.0.0.2")));
  assert.equal(identityOf(table(hostNetns, "a")), identityOf(table(hostNetns, "b")));
});

test("an element is told by its key as the kernel tells it back", () => {
  const keyed = (type: NftElementObject["type"], ...key: readonly KeyPart[]) =>
    identityOf({ ...element("a"), type, element: { key } });
  const nets = { key: ["ipv4_addr"], interval: true } as const;
  const nets6 = { key: ["ipv6_addr"], interval: true } as const;
  const own = { key: ["ifname", "ipv4_addr"], interval: true } as const;
  const ports = { key: ["ipv6_addr", "inet_proto", "inet_service"] } as const;
  const rows = [
    [keyed(nets, "10.0.0.1/32"), keyed(nets, "10.0.0.1")],
    [keyed(nets, { from: "10.0.0.0", to: "10.0.0.255" }), keyed(nets, "10.0.0.0/24")],
    [keyed(nets, { from: "0.0.0.0", to: "255.255.255.255" }), keyed(nets, "0.0.0.0/0")],
    [keyed(nets6, "fd00::1/128"), keyed(nets6, "FD00:0::1")],
    [keyed(nets6, { from: "::", to: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }), keyed(nets6, "::/0")],
    [keyed(own, "br0", "10.0.0.1/32"), keyed(own, "br0", "10.0.0.1")],
    [keyed(ports, "FD00::1", 6, 80), keyed(ports, "fd00::1", "tcp", 80)],
  ] as const;
  for (const [one, same] of rows) assert.equal(one, same);
  assert.equal(new Set(rows.flat()).size, rows.length);
  for (const bad of [["nonsense/99"], ["10.0.0.1", "one too many"], [{ from: "10.0.0.9", to: "10.0.0.1" }]])
    assert.match(keyed(nets, ...bad), /^nft-element/, "what does not fit is refused when it is added");
});

test("an object lives in what has to be there before it", () => {
  const box = netnsIdentityOf(sandbox);
  const link = (name: string, place = hostNetns) => linkIdentity(place, name);
  const rows = [
    [netns(), []],
    [file("hosts", ""), []],
    [bridge(), []],
    [veth(), [box]],
    [vlan(10), [link("eth9")]],
    [macvlan("bridge", "eth9.10"), [box, link("eth9.10")]],
    [macvlan("bridge", "eth9", hostNetns), [link("eth9")]],
    [ipvlan("l3", "bridge"), [box, link("eth9")]],
    [port(), [link("veth0"), link("br0")]],
    [address("br0", "10.0.0.1/24"), [link("br0")]],
    [address("lo", "10.0.0.1/32"), []],
    [up("lo", sandbox), [box]],
    [route("eth0", "10.0.0.1"), [link("eth0", sandbox)]],
    [sysctl("k", "1"), []],
    [sysctl("k", "1", "br0"), [link("br0")]],
    [table(), []],
    [table(sandbox), [box]],
    [element("a", sandbox), [tableIdentity(sandbox, "inet", "weft")]],
  ] as const;
  for (const [object, containers] of rows)
    assert.deepEqual(containersOf(object), containers, identityOf(object));
  assert.deepEqual(alsoProvides(veth()), [link("eth0", sandbox)]);
  assert.deepEqual(alsoProvides(bridge()), []);
});

test("what goes along at once is less than what cannot live without its place", () => {
  assert.deepEqual(takenAlongBy(veth()), []); // its namespace takes it some time later
  const moved = bridge("eth0", { netns: sandbox, spec: { type: "moved", from: "tap0" } });
  assert.deepEqual(takenAlongBy(moved), []); // it has to be given back first
  // Its namespace takes it some time later: until then it answers on its parent's wire.
  assert.deepEqual(takenAlongBy(macvlan("bridge")), [linkIdentity(hostNetns, "eth9")]);
  assert.deepEqual(takenAlongBy(ipvlan("l2", "bridge")), [linkIdentity(hostNetns, "eth9")]);
  assert.deepEqual(takenAlongBy(vlan(10)), [linkIdentity(hostNetns, "eth9")]);
  assert.ok(takesAlong(bridge()) && takesAlong(netns()) && !takesAlong(adopted("eth9")));
  const theirs = { kind: "netns", netns: sandbox, from: "/proc/7/ns/net" } as const;
  assert.ok(takesAlong(theirs, up("lo", sandbox)) && !takesAlong(theirs, table(sandbox)));
});
