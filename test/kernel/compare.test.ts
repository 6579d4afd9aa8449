import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMac } from "../../src/core/index.ts";
import { compare, hostNetns, type KernelObject, type LinkObject } from "../../src/kernel/index.ts";
import {
  address,
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

const mac = parseMac("02:00:00:00:00:01");
const other = parseMac("02:00:00:00:00:02");
const pair = (far: {
  readonly netns: string;
  readonly name: string;
  readonly mac?: typeof mac;
}): LinkObject => ({
  ...bridge("veth0"),
  spec: { type: "veth", peer: far },
});
const far = { netns: sandbox, name: "eth0" };

const mapped = (to: string, port: number): KernelObject => ({
  ...element("a"),
  type: { key: ["ifname"], data: ["ipv6_addr", "inet_service"] },
  element: { key: ["a"], data: [to, port] },
});

test("how to get from what is found to what is wanted", () => {
  const table4 = { kind: "link", netns: hostNetns, name: "br0" } as const;
  const rows: readonly (readonly [ReturnType<typeof compare>, KernelObject, KernelObject])[] = [
    ["none", bridge(), bridge("br0", { mtu: 9000, mac, alias: "theirs" })],
    ["none", bridge("br0", { mtu: 1400 }), bridge("br0", { mtu: 1400, mac })],
    ["in-place", bridge("br0", { mtu: 1400 }), bridge("br0", { mtu: 1500 })],
    ["in-place", bridge("br0", { mac }), bridge("br0", { mac: other })],
    ["in-place", bridge("br0", { alias: "a" }), bridge()],
    ["recreate", bridge(), { ...table4, spec: { type: "adopted" } }],
    ["recreate", pair(far), { ...bridge("veth0"), spec: { type: "unknown" } }],
    ["none", { ...table4, spec: { type: "adopted" } }, bridge()],
    [
      "none",
      { ...table4, spec: { type: "moved", from: "x" }, mac },
      { ...table4, spec: { type: "adopted" }, mac: other },
    ],
    ["none", pair(far), pair({ ...far, mac })],
    ["recreate", pair({ ...far, mac }), pair({ ...far, mac: other })],
    ["recreate", pair(far), pair({ ...far, name: "eth1" })],
    ["recreate", pair(far), pair({ ...far, netns: "/other" })],
    ["none", macvlan("bridge"), { ...macvlan("bridge"), mac, mtu: 1500 }],
    ["in-place", macvlan("bridge"), macvlan("vepa")],
    ["in-place", { ...macvlan("bridge"), mtu: 1400 }, { ...macvlan("bridge"), mtu: 1500 }],
    ["recreate", macvlan("passthru"), macvlan("vepa")],
    ["recreate", macvlan("bridge"), macvlan("passthru")],
    ["recreate", macvlan("bridge"), macvlan("bridge", "eth8")],
    ["recreate", macvlan("bridge"), ipvlan("l2", "bridge")],
    ["none", ipvlan("l2", "bridge"), ipvlan("l2", "bridge")],
    ["in-place", ipvlan("l2", "bridge"), ipvlan("l3s", "bridge")],
    ["in-place", ipvlan("l2", "bridge"), ipvlan("l2", "private")],
    ["recreate", ipvlan("l2", "bridge"), ipvlan("l2", "bridge", "eth8")],
    ["none", vlan(10), { ...vlan(10), mtu: 1500 }],
    ["recreate", vlan(10), vlan(11)],
    ["recreate", vlan(10), { ...vlan(10), spec: { type: "unknown" } }],
    ["none", bridge("dm0", { spec: { type: "dummy" } }), bridge("dm0", { spec: { type: "dummy" }, mtu: 1 })],
    ["none", { kind: "netns", netns: sandbox, from: "/proc/7/ns/net" }, netns()],
    ["in-place", file("hosts", "a"), file("hosts", "b")],
    ["in-place", sysctl("k", "1"), sysctl("k", "0")],
    ["in-place", port("veth0", "br0"), port("veth0", "br1")],
    ["in-place", route("eth0", "10.0.0.1"), route("eth0", "10.0.0.2")],
    ["rebuild", table(hostNetns, "a"), table(hostNetns, "b")],
    ["none", element("a"), element("a")],
    ["recreate", element("a"), { ...element("a"), element: { key: ["a"], comment: "b" } }],
    ["none", mapped("FD00::2", 80), mapped("fd00::2", 80)],
    ["recreate", mapped("fd00::2", 80), mapped("fd00::3", 80)],
    ["recreate", mapped("fd00::2", 80), mapped("fd00::2", 81)],
    ["recreate", mapped("nonsense", 80), mapped("fd00::2", 80)],
    ["none", address("br0", "10.0.0.1/24"), address("br0", "10.0.0.1/24")],
    ["none", up("br0"), up("br0")],
    ["none", veth(), veth()],
  ];
  for (const [expected, wanted, found] of rows)
    assert.equal(compare(wanted, found), expected, `${JSON.stringify(wanted)} ${JSON.stringify(found)}`);
});
