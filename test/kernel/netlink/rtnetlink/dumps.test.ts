import assert from "node:assert/strict";
import { test } from "node:test";
import { type NetlinkMessage, readMessages } from "../../../../src/kernel/netlink/message.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import { dumpFixtures } from "./canonical.ts";

/** What `decode` makes of all that the kernel answered to a command. */
function decoded<T>(command: string, decode: (message: NetlinkMessage) => T | undefined): T[] {
  const fixture = dumpFixtures().find((one) => one.command === command);
  assert.ok(fixture !== undefined, command);
  const messages = fixture.received.flatMap((hex) => [...readMessages(Buffer.from(hex, "hex"))]);
  return messages.map(decode).filter((value) => value !== undefined);
}

function linkNamed(name: string): rt.Link {
  const link = decoded("ip -d link show", rt.decodeLink).find((one) => one.name === name);
  assert.ok(link !== undefined, name);
  return link;
}

test("a loopback link has no kind", () => {
  assert.deepEqual(linkNamed("lo"), {
    index: 1,
    name: "lo",
    type: 772,
    flags: rt.IFF_UP | rt.IFF_LOOPBACK | rt.IFF_RUNNING | rt.IFF_LOWER_UP,
    up: true,
    mtu: 65536,
    group: 0,
    txQueueLength: 1000,
    operState: "unknown",
    mac: "00:00:00:00:00:00",
    addrGenMode: "eui64",
    ipv6Conf: { accept_ra: 1, autoconf: 1, disable_ipv6: 0, ra_defrtr_metric: 1024 },
  });
});

test("a bridge's settings are read", () => {
  const { index, mac, kind } = linkNamed("br0");
  assert.deepEqual({ index, mac }, { index: 100, mac: "02:00:00:00:01:00" });
  assert.deepEqual(kind, {
    kind: "bridge",
    stp: 1,
    forwardDelayMs: 4000,
    helloTimeMs: 2000,
    maxAgeMs: 20000,
    ageingTimeMs: 300000,
    priority: 32768,
    vlanFiltering: false,
    groupForwardMask: 0,
    multicastSnooping: true,
    multicastQuerier: false,
    nfCallIptables: false,
    nfCallIp6tables: false,
    nfCallArptables: false,
  });
});

test("a veth's other end and its settings as a port are read", () => {
  const { kind, lower, master, port } = linkNamed("w0");
  assert.deepEqual({ kind, lower, master }, { kind: { kind: "veth" }, lower: 106, master: 100 });
  assert.equal(port?.hairpin, false);
  assert.equal(port?.learning, true);
  assert.equal(port?.priority, 32);
});

test("a vxlan's settings are read", () => {
  const { kind } = linkNamed("vx1");
  assert.ok(kind?.kind === "vxlan");
  const { id, local, remote, port, learning, proxy, l2miss, l3miss, ttl } = kind;
  assert.deepEqual(
    { id, local, remote, port, learning, proxy, l2miss, l3miss, ttl },
    {
      id: 42,
      local: "10.0.0.254",
      remote: undefined,
      port: 4789,
      learning: false,
      proxy: true,
      l2miss: true,
      l3miss: true,
      ttl: 64,
    },
  );
});

test("a macvlan's mode and lower link are read", () => {
  const { kind, lower } = linkNamed("mv0");
  assert.deepEqual({ kind, lower }, { kind: { kind: "macvlan", mode: "bridge", flags: 0 }, lower: 100 });
});

test("addresses of both families are read", () => {
  const found = decoded("ip addr show", rt.decodeAddress).filter((one) => one.link === 100);
  const byAddress = new Map<string, rt.LinkAddress>(found.map((one) => [one.address, one]));
  const permanent = rt.IFA_F_PERMANENT;
  const link = 100;
  assert.deepEqual(byAddress.get("10.0.0.2/24"), {
    link,
    address: "10.0.0.2/24",
    broadcast: "10.0.0.255",
    label: "br0:x",
    scope: 0,
    flags: permanent | rt.IFA_F_SECONDARY,
  });
  assert.deepEqual(byAddress.get("10.0.0.3/30"), {
    link,
    address: "10.0.0.3/30",
    peer: "10.9.0.1",
    label: "br0",
    scope: 0,
    flags: permanent,
  });
  assert.deepEqual(byAddress.get("fd00::2/64"), {
    link,
    address: "fd00::2/64",
    scope: 0,
    flags: permanent | rt.IFA_F_NODAD | rt.IFA_F_NOPREFIXROUTE,
  });
  assert.equal(byAddress.get("10.0.0.4/32")?.routePriority, 7);
});

test("routes of every sort are read", () => {
  const routes = decoded("ip route show table all", rt.decodeRoute);
  const of = (destination: string) => routes.find((one) => one.destination === destination);
  const common = {
    priority: 0,
    protocol: rt.RTPROT_BOOT,
    scope: 0,
    type: "unicast",
    flags: rt.RTNH_F_LINKDOWN,
  };
  assert.deepEqual(of("10.3.0.0/24"), {
    ...common,
    destination: "10.3.0.0/24",
    gateway: "10.0.0.9",
    link: 100,
    preferredSource: "10.0.0.254",
    mtu: 1300,
    advmss: 1200,
    table: 1000,
  });
  assert.deepEqual(of("0.0.0.0/0"), {
    ...common,
    destination: "0.0.0.0/0",
    gateway: "10.0.0.9",
    link: 100,
    table: rt.RT_TABLE_MAIN,
  });
  assert.equal(of("10.4.0.0/24")?.via, "fd00::9");
  assert.equal(of("10.5.0.0/24")?.flags, rt.RTNH_F_ONLINK | rt.RTNH_F_LINKDOWN);
  assert.equal(of("10.6.0.0/24")?.type, "blackhole");
  assert.equal(of("10.8.0.0/24")?.table, 200);
  assert.deepEqual(of("10.7.0.0/24")?.nextHops, [
    { gateway: "10.0.0.9", link: 100, weight: 2, flags: rt.RTNH_F_LINKDOWN },
    { gateway: "10.0.0.8", link: 100, weight: 1, flags: rt.RTNH_F_LINKDOWN },
  ]);
});

test("IPv6 routes are read, the default among them", () => {
  const routes = decoded("ip -6 route show table all", rt.decodeRoute);
  const byDefault = routes.find((one) => one.destination === "::/0");
  assert.equal(byDefault?.gateway, "fd00::9");
  assert.equal(byDefault?.protocol, 99);
  assert.equal(byDefault?.priority, 1024);
  assert.equal(routes.find((one) => one.destination === "fd02::/48")?.type, "unreachable");
});

test("neighbours are read", () => {
  assert.deepEqual(
    decoded("ip neigh show nud all", rt.decodeNeighbour).find((one) => one.address === "fd00::50"),
    { link: 100, address: "fd00::50", mac: "02:42:00:00:00:50", state: rt.NUD_REACHABLE, flags: 0 },
  );
});

test("forwarding entries are read, a VXLAN's and a bridge's", () => {
  const entries = decoded("bridge fdb show", rt.decodeFdbEntry);
  const of = (mac: string) => entries.filter((one) => one.mac === mac);
  assert.deepEqual(of("02:42:00:00:00:61"), [
    {
      link: 103,
      mac: "02:42:00:00:00:61",
      owner: "self",
      destination: "192.0.2.9",
      vni: 9,
      port: 4790,
      via: 100,
      state: rt.NUD_PERMANENT | rt.NUD_NOARP,
      flags: 0,
    },
  ]);
  const unknown = of(rt.defaultFdbMac).filter((one) => one.link === 103);
  assert.deepEqual(
    unknown.map((one) => one.destination),
    ["192.0.2.2"],
  );
  const [entry] = of("02:42:00:00:00:62");
  assert.deepEqual(entry, {
    link: 105,
    mac: "02:42:00:00:00:62",
    owner: "master",
    master: 100,
    state: rt.NUD_NOARP,
    flags: 0,
  });
});

test("rules are read", () => {
  const rules = decoded("ip rule show", rt.decodeRule);
  const of = (priority: number) => rules.find((one) => one.priority === priority);
  assert.deepEqual(of(0), {
    family: 4,
    priority: 0,
    action: "lookup",
    table: rt.RT_TABLE_LOCAL,
    flags: 0,
    protocol: rt.RTPROT_KERNEL,
  });
  assert.equal(of(101)?.to, "10.2.0.0/16");
  assert.equal(of(101)?.iif, "br0");
  assert.equal(of(102)?.mark, 0x1000000);
  assert.equal(of(102)?.mask, 0xff000000);
  assert.equal(of(102)?.protocol, 99);
  assert.deepEqual(of(103)?.destinationPorts, { first: 80, last: 90 });
  assert.equal(of(103)?.action, "blackhole");
  assert.equal(of(104)?.suppressPrefixLength, 0);
  assert.equal(of(104)?.flags, rt.FIB_RULE_INVERT);
  assert.equal(
    decoded("ip -6 rule show", rt.decodeRule).find((one) => one.priority === 100)?.from,
    "fd00::/64",
  );
});

test("messages of other types and families are left alone", () => {
  const payload = Buffer.alloc(64);
  const message = (type: number): NetlinkMessage => ({ type, flags: 0, sequence: 0, payload });
  const decoders = [
    rt.decodeLink,
    rt.decodeAddress,
    rt.decodeRoute,
    rt.decodeNeighbour,
    rt.decodeFdbEntry,
    rt.decodeRule,
  ];
  for (const decode of decoders) assert.equal(decode(message(1234)), undefined);
  payload[0] = 7; // AF_BRIDGE
  assert.equal(rt.decodeLink(message(rt.RTM_NEWLINK)), undefined);
  payload[0] = 129; // RTNL_FAMILY_IPMR_MAX
  assert.equal(rt.decodeRoute(message(rt.RTM_NEWROUTE)), undefined);
});
