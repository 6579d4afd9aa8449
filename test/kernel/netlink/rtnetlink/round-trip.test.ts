import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addressFromBytes,
  bitsOf,
  familyOf,
  type IpAddress,
  interfaceAddress,
  macFromBytes,
  prefixOf,
} from "../../../../src/core/index.ts";
import {
  type NetlinkMessage,
  type NetlinkRequest,
  readMessages,
} from "../../../../src/kernel/netlink/message.ts";
import { type BridgePort, bridgePortOptions } from "../../../../src/kernel/netlink/rtnetlink/bridge-port.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import { type LinkInfo, linkInfo } from "../../../../src/kernel/netlink/rtnetlink/link-kinds.ts";
import { type Codec, encode } from "../../../../src/kernel/netlink/wire.ts";
import { requestBytes } from "./canonical.ts";

// Small arbitraries for what stands on the wire.
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const index = fc.integer({ min: 1, max: 0x7fffffff });
const ticks = fc.integer({ min: 0, max: 1_000_000 }).map((n) => n * 10);
const name = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,14}$/);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const mac = bytes(6).map(macFromBytes);
const ipv4 = bytes(4).map(addressFromBytes);
const ipv6 = bytes(16).map(addressFromBytes);
const ip = fc.oneof(ipv4, ipv6);
const prefix = fc
  .tuple(ip, fc.integer({ min: 0, max: 128 }))
  .map(([address, length]) => prefixOf(address, length % (bitsOf(familyOf(address)) + 1)));
const prefixOfFamily = (family: 4 | 6) =>
  fc
    .tuple(family === 4 ? ipv4 : ipv6, fc.integer({ min: 0, max: bitsOf(family) }))
    .map(([address, length]) => prefixOf(address, length));

/** Some of the members, never one that is undefined. */
function some<T extends object>(members: { [K in keyof T]: fc.Arbitrary<NonNullable<T[K]>> }) {
  return fc.record(members, { requiredKeys: [], noNullPrototype: true });
}

function roundTrips<T>(codec: Codec<T>, values: fc.Arbitrary<T>): void {
  fc.assert(fc.property(values, (value) => assert.deepEqual(codec.read(encode(codec, value)), value)));
}

/** A request read back as the message that the kernel would send of it. */
function echoed<T>(
  request: NetlinkRequest,
  decode: (message: NetlinkMessage) => T | undefined,
): T | undefined {
  const [message] = [...readMessages(requestBytes(request))];
  return message === undefined ? undefined : decode(message);
}

const bool = fc.boolean();
const bridge = some<rt.BridgeOptions>({
  forwardDelayMs: ticks,
  helloTimeMs: ticks,
  maxAgeMs: ticks,
  ageingTimeMs: ticks,
  stp: u32,
  priority: u16,
  vlanFiltering: bool,
  vlanProtocol: fc.constantFrom(...(["802.1Q", "802.1ad", 0x1234] as const)),
  groupForwardMask: u16,
  multicastSnooping: bool,
  multicastQuerier: bool,
  nfCallIptables: bool,
  nfCallIp6tables: bool,
  nfCallArptables: bool,
  defaultPvid: u16,
});
const vxlan = some<rt.VxlanOptions>({
  id: u32,
  link: u32,
  ttl: u8,
  tos: u8,
  learning: bool,
  ageingSeconds: u32,
  limit: u32,
  proxy: bool,
  shortCircuit: bool,
  l2miss: bool,
  l3miss: bool,
  port: u16,
  udpChecksum: bool,
  udpZeroChecksum6Transmit: bool,
  udpZeroChecksum6Receive: bool,
  gbp: fc.constant<true>(true),
  collectMetadata: bool,
  flowLabel: u32,
  df: u8,
  remote: ip,
  local: ip,
});
const vethPeer = some<rt.VethPeer>({
  name,
  index,
  mac,
  mtu: u32,
  txQueueLength: u32,
  group: u32,
  numTxQueues: u32,
  numRxQueues: u32,
  netnsFd: u16,
});
const macvlanMode = fc.constantFrom(...(["private", "vepa", "bridge", "passthru", "source", 99] as const));

const kinds: fc.Arbitrary<rt.LinkKind> = fc.oneof(
  bridge.map((options) => ({ ...options, kind: "bridge" as const })),
  vxlan.map((options) => ({ ...options, kind: "vxlan" as const })),
  vethPeer.map((peer) => ({ peer, kind: "veth" as const })),
  some<rt.MacvlanOptions>({ mode: macvlanMode, flags: u16 }).map((o) => ({ ...o, kind: "macvlan" as const })),
  some<rt.IpvlanOptions>({ mode: fc.constantFrom("l2", "l3", "l3s"), flags: u16 }).map((o) => ({
    ...o,
    kind: "ipvlan" as const,
  })),
  some<rt.VlanOptions>({
    id: u16,
    protocol: fc.constantFrom("802.1Q", "802.1ad"),
    flags: fc.record({ flags: u32, mask: u32 }, { noNullPrototype: true }),
  }).map((o) => ({ ...o, kind: "vlan" as const })),
  some<rt.VrfOptions>({ table: u32 }).map((o) => ({ ...o, kind: "vrf" as const })),
  fc.constant({ kind: "dummy" as const }),
  fc.constant({ kind: "ifb" as const }),
  fc.stringMatching(/^x[a-z]{1,12}$/).map((other) => ({ kind: "other" as const, name: other })),
);

const port = some<BridgePort>({
  state: fc.constantFrom(...(["disabled", "listening", "learning", "forwarding", "blocking", 9] as const)),
  priority: u16,
  cost: u32,
  hairpin: bool,
  bpduGuard: bool,
  rootBlock: bool,
  fastLeave: bool,
  learning: bool,
  unicastFlood: bool,
  proxyArp: bool,
  multicastFlood: bool,
  multicastToUnicast: bool,
  vlanTunnel: bool,
  broadcastFlood: bool,
  groupForwardMask: u16,
  neighbourSuppress: bool,
  isolated: bool,
  locked: bool,
});

test("link kinds and bridge ports are read as they were written", () => {
  roundTrips<LinkInfo>(linkInfo, some<LinkInfo>({ kind: kinds, port }));
  roundTrips(bridgePortOptions, port);
});

test("a link is read as it was asked for", () => {
  const links = fc.record(
    {
      name,
      kind: kinds,
      index,
      mac,
      mtu: u32,
      group: u32,
      txQueueLength: u32,
      master: index,
      lower: index,
      up: bool,
    },
    { requiredKeys: ["name", "kind"], noNullPrototype: true },
  );
  fc.assert(
    fc.property(links, ({ up = false, index: number = 0, ...link }) => {
      const read = echoed(rt.createLink({ ...link, up, index: number }), rt.decodeLink);
      assert.deepEqual(read, {
        mtu: 0,
        group: 0,
        txQueueLength: 0,
        operState: "unknown",
        ...link,
        index: number,
        type: 0,
        up,
        flags: up ? rt.IFF_UP : 0,
      });
    }),
  );
});

test("an address is read as it was asked for", () => {
  const addresses = fc.record(
    {
      link: index,
      address: prefix.chain((p) =>
        fc.constant(
          interfaceAddress(p.slice(0, p.indexOf("/")) as IpAddress, Number(p.slice(p.indexOf("/") + 1))),
        ),
      ),
      flags: u32,
      scope: u8,
      protocol: u8,
      routePriority: u32,
      label: name,
    },
    { requiredKeys: ["link", "address", "flags", "scope"], noNullPrototype: true },
  );
  fc.assert(
    fc.property(addresses, (address) =>
      assert.deepEqual(echoed(rt.addAddress(address), rt.decodeAddress), address),
    ),
  );
});

test("a route is read as it was asked for", () => {
  const hop = fc.record(
    { gateway: ip, link: index, weight: fc.integer({ min: 1, max: 256 }), flags: u8 },
    { requiredKeys: ["weight", "flags"], noNullPrototype: true },
  );
  const routes = fc.record(
    {
      destination: prefix,
      table: index,
      priority: u32,
      protocol: u8,
      scope: u8,
      type: fc.constantFrom(...(["unicast", "local", "blackhole", "throw", 77] as const)),
      flags: u32,
      gateway: ip,
      via: ip,
      link: index,
      preferredSource: ip,
      mtu: u32,
      advmss: u32,
      nextHops: fc.array(hop, { maxLength: 4 }),
    },
    {
      requiredKeys: ["destination", "table", "priority", "protocol", "scope", "type", "flags"],
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(routes, (route) => assert.deepEqual(echoed(rt.addRoute(route), rt.decodeRoute), route)),
  );
});

test("neighbours and forwarding entries are read as they were asked for", () => {
  const neighbours = fc.record(
    { link: index, address: ip, state: u16, flags: u8, mac, protocol: u8 },
    { requiredKeys: ["link", "address", "state", "flags"], noNullPrototype: true },
  );
  const entries = fc.record(
    {
      link: index,
      mac,
      owner: fc.constantFrom("self", "master"),
      state: u16,
      flags: fc.constantFrom(0, rt.NTF_EXT_LEARNED, rt.NTF_STICKY),
      destination: ip,
      port: u16,
      vni: u32,
      sourceVni: u32,
      via: index,
      vlan: u16,
    },
    { requiredKeys: ["link", "mac", "owner", "state", "flags"], noNullPrototype: true },
  );
  fc.assert(
    fc.property(neighbours, entries, (neighbour, entry) => {
      assert.deepEqual(echoed(rt.addNeighbour(neighbour), rt.decodeNeighbour), neighbour);
      assert.deepEqual(echoed(rt.addFdbEntry(entry), rt.decodeFdbEntry), entry);
    }),
  );
});

test("a rule is read as it was asked for", () => {
  const range = fc.record({ first: u16, last: u16 }, { noNullPrototype: true });
  const rules = fc.constantFrom<4 | 6>(4, 6).chain((family) =>
    fc.record(
      {
        family: fc.constant(family),
        priority: u32,
        table: index,
        flags: u32,
        action: fc.constantFrom("lookup", "goto", "blackhole", "prohibit"),
        from: prefixOfFamily(family),
        to: prefixOfFamily(family),
        iif: name,
        oif: name,
        mark: u32,
        mask: u32,
        ipProtocol: u8,
        sourcePorts: range,
        destinationPorts: range,
        suppressPrefixLength: fc.integer({ min: 0, max: 128 }),
        goto: u32,
        protocol: u8,
      },
      { requiredKeys: ["family", "priority", "table", "flags", "action"], noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(rules, (rule) => {
      assert.deepEqual(echoed(rt.addRule(rule), rt.decodeRule), rule);
    }),
  );
});

test("a torn list of next hops is read as far as it goes", () => {
  const [message] = [
    ...readMessages(
      requestBytes(
        rt.addRoute({
          destination: prefixOf("10.0.0.0" as IpAddress, 8),
          nextHops: [{ weight: 1, flags: 0, link: 5 }],
        }),
      ),
    ),
  ];
  assert.ok(message !== undefined);
  // The length inside the only next hop, behind rtmsg, RTA_DST and the header of RTA_MULTIPATH.
  message.payload[12 + 8 + 4] = 200;
  assert.deepEqual(rt.decodeRoute(message)?.nextHops, []);
});
