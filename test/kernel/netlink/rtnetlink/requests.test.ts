import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type IpAddress,
  parseAddress,
  parseInterfaceAddress,
  parseMac,
  parsePrefix,
} from "../../../../src/core/index.ts";
import type { NetlinkRequest } from "../../../../src/kernel/netlink/message.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import { type CanonicalRequest, canonical, requestBytes, requestFixtures } from "./canonical.ts";

const br0 = 100;
const v0 = 101;
const vx0 = 103;
const w0 = 105;
const ip = (text: string): IpAddress => parseAddress(text);
const on = (address: string) => ({ link: br0, address: parseInterfaceAddress(address) });
const to = (destination: string) => ({ destination: parsePrefix(destination), protocol: rt.RTPROT_BOOT });
const mac = parseMac;

/** Our request for each captured command, by file and command. */
const ours: Readonly<Record<string, Readonly<Record<string, NetlinkRequest>>>> = {
  links: {
    "ip link add br1 type bridge": rt.createLink({ name: "br1", kind: { kind: "bridge" } }),
    "ip link add br2 index 777 mtu 1400 address 02:42:00:00:00:01 type bridge forward_delay 0 stp_state 0 vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0 nf_call_iptables 0 nf_call_ip6tables 0 ageing_time 30000":
      rt.createLink({
        name: "br2",
        index: 777,
        mtu: 1400,
        mac: mac("02:42:00:00:00:01"),
        kind: {
          kind: "bridge",
          forwardDelayMs: 0,
          stp: 0,
          vlanFiltering: true,
          defaultPvid: 0,
          multicastSnooping: false,
          nfCallIptables: false,
          nfCallIp6tables: false,
          ageingTimeMs: 300_000,
        },
      }),
    "ip link add name veth0 mtu 1400 type veth peer name eth0 address 02:42:00:00:00:02 mtu 1400 netns weft-capture-peer":
      rt.createLink({
        name: "veth0",
        mtu: 1400,
        kind: { kind: "veth", peer: { name: "eth0", mac: mac("02:42:00:00:00:02"), mtu: 1400, netnsFd: 4 } },
      }),
    "ip link add vx1 type vxlan id 42 local 10.0.0.254 dstport 4789 nolearning proxy l2miss l3miss ttl 64":
      rt.createLink({
        name: "vx1",
        kind: {
          kind: "vxlan",
          id: 42,
          local: ip("10.0.0.254"),
          port: 4789,
          learning: false,
          proxy: true,
          l2miss: true,
          l3miss: true,
          ttl: 64,
        },
      }),
    "ip link add vx2 type vxlan id 43 local fd00::fe remote fd00::2 dev br0 dstport 4789": rt.createLink({
      name: "vx2",
      kind: {
        kind: "vxlan",
        id: 43,
        local: ip("fd00::fe"),
        remote: ip("fd00::2"),
        link: br0,
        port: 4789,
        learning: true,
      },
    }),
    "ip link add mv0 link br0 type macvlan mode bridge": rt.createLink({
      name: "mv0",
      lower: br0,
      kind: { kind: "macvlan", mode: "bridge" },
    }),
    "ip link add mv1 link br0 type macvlan mode passthru nopromisc": rt.createLink({
      name: "mv1",
      lower: br0,
      kind: { kind: "macvlan", mode: "passthru", flags: rt.MACVLAN_FLAG_NOPROMISC },
    }),
    "ip link add iv0 link br0 type ipvlan mode l3": rt.createLink({
      name: "iv0",
      lower: br0,
      kind: { kind: "ipvlan", mode: "l3", flags: 0 },
    }),
    "ip link add iv1 link br0 type ipvlan mode l2 private": rt.createLink({
      name: "iv1",
      lower: br0,
      kind: { kind: "ipvlan", mode: "l2", flags: rt.IPVLAN_F_PRIVATE },
    }),
    "ip link add vl0 link br0 type vlan id 100": rt.createLink({
      name: "vl0",
      lower: br0,
      kind: { kind: "vlan", id: 100 },
    }),
    "ip link add vl1 link br0 type vlan protocol 802.1ad id 200": rt.createLink({
      name: "vl1",
      lower: br0,
      kind: { kind: "vlan", id: 200, protocol: "802.1ad" },
    }),
    "ip link add dummy0 type dummy": rt.createLink({ name: "dummy0", kind: { kind: "dummy" } }),
    "ip link add ifb0 txqueuelen 64 type ifb": rt.createLink({
      name: "ifb0",
      txQueueLength: 64,
      kind: { kind: "ifb" },
    }),
    "ip link add vrf0 type vrf table 1000": rt.createLink({
      name: "vrf0",
      kind: { kind: "vrf", table: 1000 },
    }),
    "ip link set dev v0 up": rt.changeLink(v0, { up: true }),
    "ip link set dev v0 down": rt.changeLink(v0, { up: false }),
    "ip link set dev v0 mtu 1300": rt.changeLink(v0, { mtu: 1300 }),
    "ip link set dev v0 address 02:00:00:00:01:11": rt.changeLink(v0, { mac: mac("02:00:00:00:01:11") }),
    "ip link set dev v0 alias weft:test": rt.changeLink(v0, { alias: "weft:test" }),
    "ip link set dev v0 group 42": rt.changeLink(v0, { group: 42 }),
    "ip link set dev v0 txqueuelen 77": rt.changeLink(v0, { txQueueLength: 77 }),
    "ip link set dev v0 master br0": rt.changeLink(v0, { master: br0 }),
    "ip link set dev v0 type bridge_slave hairpin on isolated on learning off flood off neigh_suppress on":
      rt.setBridgePort(v0, {
        hairpin: true,
        isolated: true,
        learning: false,
        unicastFlood: false,
        neighbourSuppress: true,
      }),
    "ip link set dev v0 type bridge_slave state 3 priority 8 cost 9": rt.setBridgePort(v0, {
      state: "forwarding",
      priority: 8,
      cost: 9,
    }),
    "ip link set dev v0 nomaster": rt.changeLink(v0, { master: 0 }),
    "ip link set dev v0 addrgenmode none": rt.changeLink(v0, { addrGenMode: "none" }),
    "ip link set dev v0 name v9": rt.changeLink(v0, { name: "v9" }),
    "ip link set dev v9 netns weft-capture-peer": rt.changeLink(v0, { netnsFd: 4 }),
    "ip link set dev br0 type bridge stp_state 1 forward_delay 400": rt.changeLink(br0, {
      kind: { kind: "bridge", stp: 1, forwardDelayMs: 4000 },
    }),
    "ip link del dev ifb0": rt.deleteLink(7),
    "ip link del group 42": rt.deleteLinkGroup(42),
  },
  addresses: {
    "ip addr add 10.0.0.1/24 dev br0": rt.addAddress(on("10.0.0.1/24")),
    "ip addr add 10.0.0.2/24 broadcast 10.0.0.255 label br0:x dev br0": rt.addAddress({
      ...on("10.0.0.2/24"),
      broadcast: ip("10.0.0.255"),
      label: "br0:x",
    }),
    "ip addr add 10.0.0.3 peer 10.9.0.1/30 dev br0": rt.addAddress({
      ...on("10.0.0.3/30"),
      peer: ip("10.9.0.1"),
    }),
    "ip addr add fd00::1/64 nodad dev br0": rt.addAddress({ ...on("fd00::1/64"), flags: rt.IFA_F_NODAD }),
    "ip addr add fd00::2/64 nodad noprefixroute dev br0": rt.addAddress({
      ...on("fd00::2/64"),
      flags: rt.IFA_F_NODAD | rt.IFA_F_NOPREFIXROUTE,
    }),
    "ip addr add fd00::3/64 valid_lft 100 preferred_lft 50 dev br0": rt.addAddress({
      ...on("fd00::3/64"),
      validSeconds: 100,
      preferredSeconds: 50,
    }),
    "ip addr add 10.0.0.4/32 scope link metric 7 dev br0": rt.addAddress({
      ...on("10.0.0.4/32"),
      scope: rt.RT_SCOPE_LINK,
      routePriority: 7,
    }),
    "ip addr replace fd00::1/64 nodad dev br0": rt.replaceAddress({
      ...on("fd00::1/64"),
      flags: rt.IFA_F_NODAD,
    }),
    "ip addr del 10.0.0.1/24 dev br0": rt.deleteAddress(on("10.0.0.1/24")),
    "ip addr del fd00::1/64 dev br0": rt.deleteAddress(on("fd00::1/64")),
  },
  routes: {
    "ip route add 10.1.0.0/24 dev br0": rt.addRoute({ ...to("10.1.0.0/24"), link: br0 }),
    "ip route add 10.2.0.0/24 via 10.0.0.9 dev br0 proto 99 metric 50": rt.addRoute({
      ...to("10.2.0.0/24"),
      gateway: ip("10.0.0.9"),
      link: br0,
      protocol: 99,
      priority: 50,
    }),
    "ip route add default via 10.0.0.9": rt.addRoute({ ...to("0.0.0.0/0"), gateway: ip("10.0.0.9") }),
    "ip route add 10.3.0.0/24 via 10.0.0.9 dev br0 src 10.0.0.254 mtu 1300 advmss 1200 table 1000":
      rt.addRoute({
        ...to("10.3.0.0/24"),
        gateway: ip("10.0.0.9"),
        link: br0,
        preferredSource: ip("10.0.0.254"),
        mtu: 1300,
        advmss: 1200,
        table: 1000,
      }),
    "ip route add 10.4.0.0/24 via inet6 fd00::9 dev br0": rt.addRoute({
      ...to("10.4.0.0/24"),
      via: ip("fd00::9"),
      link: br0,
    }),
    "ip route add 10.5.0.0/24 via 10.99.0.1 dev br0 onlink": rt.addRoute({
      ...to("10.5.0.0/24"),
      gateway: ip("10.99.0.1"),
      link: br0,
      flags: rt.RTNH_F_ONLINK,
    }),
    "ip route add blackhole 10.6.0.0/24": rt.addRoute({ ...to("10.6.0.0/24"), type: "blackhole" }),
    "ip route add 10.7.0.0/24 nexthop via 10.0.0.9 dev br0 weight 2 nexthop via 10.0.0.8 dev br0":
      rt.addRoute({
        ...to("10.7.0.0/24"),
        nextHops: [
          { gateway: ip("10.0.0.9"), link: br0, weight: 2, flags: 0 },
          { gateway: ip("10.0.0.8"), link: br0, weight: 1, flags: 0 },
        ],
      }),
    "ip route add local 10.8.0.0/24 dev lo table 200": rt.addRoute({
      ...to("10.8.0.0/24"),
      type: "local",
      link: 1,
      table: 200,
    }),
    "ip -6 route add fd01::/64 dev br0 metric 512": rt.addRoute({
      ...to("fd01::/64"),
      link: br0,
      priority: 512,
    }),
    "ip -6 route add default via fd00::9 dev br0 proto 99": rt.addRoute({
      ...to("::/0"),
      gateway: ip("fd00::9"),
      link: br0,
      protocol: 99,
    }),
    "ip -6 route add unreachable fd02::/48": rt.addRoute({ ...to("fd02::/48"), type: "unreachable" }),
    "ip route replace 10.1.0.0/24 via 10.0.0.9 dev br0": rt.replaceRoute({
      ...to("10.1.0.0/24"),
      gateway: ip("10.0.0.9"),
      link: br0,
    }),
    "ip route del 10.2.0.0/24 metric 50": rt.deleteRoute({
      destination: parsePrefix("10.2.0.0/24"),
      priority: 50,
    }),
    "ip -6 route del fd01::/64 dev br0": rt.deleteRoute({ destination: parsePrefix("fd01::/64"), link: br0 }),
  },
  neighbours: {
    "ip neigh add 10.0.0.50 lladdr 02:42:00:00:00:50 dev br0": rt.addNeighbour({
      link: br0,
      address: ip("10.0.0.50"),
      mac: mac("02:42:00:00:00:50"),
    }),
    "ip neigh replace fd00::50 lladdr 02:42:00:00:00:50 nud reachable dev br0": rt.replaceNeighbour({
      link: br0,
      address: ip("fd00::50"),
      mac: mac("02:42:00:00:00:50"),
      state: rt.NUD_REACHABLE,
    }),
    "ip neigh add proxy 10.0.0.51 dev br0": rt.addNeighbour({
      link: br0,
      address: ip("10.0.0.51"),
      flags: rt.NTF_PROXY,
    }),
    "ip neigh del 10.0.0.50 dev br0": rt.deleteNeighbour({ link: br0, address: ip("10.0.0.50") }),
    ...fdb(),
  },
  rules: {
    "ip rule add from 10.1.0.0/24 table 1000 priority 100": rt.addRule({
      family: 4,
      from: parsePrefix("10.1.0.0/24"),
      table: 1000,
      priority: 100,
    }),
    "ip rule add to 10.2.0.0/16 iif br0 lookup main priority 101": rt.addRule({
      family: 4,
      to: parsePrefix("10.2.0.0/16"),
      iif: "br0",
      priority: 101,
    }),
    "ip rule add fwmark 0x1000000/0xff000000 table 100 priority 102 protocol 99": rt.addRule({
      family: 4,
      mark: 0x1000000,
      mask: 0xff000000,
      table: 100,
      priority: 102,
      protocol: 99,
    }),
    "ip rule add oif br0 ipproto tcp dport 80-90 blackhole priority 103": rt.addRule({
      family: 4,
      oif: "br0",
      ipProtocol: 6,
      destinationPorts: { first: 80, last: 90 },
      action: "blackhole",
      priority: 103,
    }),
    "ip rule add not from all table main suppress_prefixlength 0 priority 104": rt.addRule({
      family: 4,
      flags: rt.FIB_RULE_INVERT,
      suppressPrefixLength: 0,
      priority: 104,
    }),
    "ip -6 rule add from fd00::/64 table 1000 priority 100": rt.addRule({
      family: 6,
      from: parsePrefix("fd00::/64"),
      table: 1000,
      priority: 100,
    }),
    "ip rule del priority 100": rt.deleteRule({ family: 4, priority: 100 }),
    "ip netns set weft-capture-peer 7": rt.assignNamespaceId(6, 7),
  },
};

function fdb(): Record<string, NetlinkRequest> {
  const of = (entry: string, link: number, owner: "self" | "master", destination?: string) => ({
    mac: mac(entry),
    link,
    owner,
    ...(destination === undefined ? {} : { destination: ip(destination) }),
    // bridge(8) sets a second bit that the kernel does not need.
    state: rt.NUD_NOARP | (owner === "self" ? rt.NUD_PERMANENT : rt.NUD_REACHABLE),
  });
  return {
    "bridge fdb add 02:42:00:00:00:60 dev vx0 dst 192.0.2.1 self permanent": rt.addFdbEntry(
      of("02:42:00:00:00:60", vx0, "self", "192.0.2.1"),
    ),
    "bridge fdb add 02:42:00:00:00:61 dev vx0 dst 192.0.2.9 vni 9 port 4790 via br0 self permanent":
      rt.addFdbEntry({ ...of("02:42:00:00:00:61", vx0, "self", "192.0.2.9"), vni: 9, port: 4790, via: br0 }),
    "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.2 self permanent": rt.appendFdbEntry({
      ...of("02:42:00:00:00:60", vx0, "self", "192.0.2.2"),
      mac: rt.defaultFdbMac,
    }),
    "bridge fdb replace 02:42:00:00:00:60 dev vx0 dst 192.0.2.3 self permanent": rt.replaceFdbEntry(
      of("02:42:00:00:00:60", vx0, "self", "192.0.2.3"),
    ),
    "bridge fdb del 02:42:00:00:00:60 dev vx0 dst 192.0.2.3 self": rt.deleteFdbEntry(
      of("02:42:00:00:00:60", vx0, "self", "192.0.2.3"),
    ),
    "bridge fdb add 02:42:00:00:00:62 dev w0 master static": rt.addFdbEntry(
      of("02:42:00:00:00:62", w0, "master"),
    ),
    "bridge fdb add 02:42:00:00:00:63 dev w0 master static vlan 5": rt.addFdbEntry({
      ...of("02:42:00:00:00:63", w0, "master"),
      vlan: 5,
    }),
  };
}

/** Where iproute2 says the same in other words. */
function withoutHabits(command: string, request: CanonicalRequest): CanonicalRequest {
  const drop: RegExp[] = [];
  // It names the port's kind as if it were the link's own; the kernel looks at neither.
  if (command.includes("bridge_slave")) drop.push(/^\/18\/[14]=/);
  // It gives the destination ::/0 in full.
  if (command.startsWith("ip -6 route add default")) drop.push(/^\/1=0+$/);
  // It sends an empty FRA_SRC for "from all".
  if (command.includes("from all")) drop.push(/^\/2=$/);
  const attributes = request.attributes.filter((one) => !drop.some((pattern) => pattern.test(one)));
  // It deletes neighbours by a state that the kernel does not look at.
  const header = command.startsWith("ip neigh del")
    ? request.header.replace("80000000", "00000000")
    : request.header;
  return { ...request, header, attributes };
}

for (const [file, requests] of Object.entries(ours)) {
  const fixtures = requestFixtures(file);
  test(`every captured command of ${file} has a request of ours`, () => {
    assert.deepEqual(
      fixtures.map((one) => one.command),
      Object.keys(requests),
    );
  });
  for (const { command, request } of fixtures) {
    test(`our request says what \`${command}\` says`, () => {
      const mine = requests[command];
      assert.ok(mine !== undefined);
      assert.deepEqual(
        withoutHabits(command, canonical(requestBytes(mine))),
        withoutHabits(command, canonical(Buffer.from(request, "hex"))),
      );
    });
  }
}
