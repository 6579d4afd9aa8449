import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMac } from "../../../../src/core/index.ts";
import { type NetlinkRequest, readMessages } from "../../../../src/kernel/netlink/message.ts";
import * as rt from "../../../../src/kernel/netlink/rtnetlink/index.ts";
import { readFixture } from "../../../fixture-file.ts";
import { canonical, type DumpFixture, type RequestFixture, requestBytes } from "./canonical.ts";

// Written by capture-full-kernel.mjs.
const { requests, dumps } = JSON.parse(readFixture("rtnetlink/full-kernel.json")) as {
  readonly requests: readonly RequestFixture[];
  readonly dumps: readonly Omit<DumpFixture, "sent">[];
};

const [eth9, eth8] = [100, 101];
/** The descriptor of the namespace `box` in the program whose request was captured. */
const netnsFd = 4;

const ours: readonly NetlinkRequest[] = [
  rt.createLink({
    name: "eth0",
    lower: eth9,
    netnsFd,
    mac: parseMac("02:00:00:00:01:02"),
    mtu: 1400,
    kind: { kind: "macvlan", mode: "private" },
  }),
  rt.createLink({ name: "eth1", lower: eth9, netnsFd, kind: { kind: "macvlan", mode: "bridge" } }),
  rt.createLink({
    name: "eth2",
    lower: eth8,
    netnsFd,
    kind: { kind: "ipvlan", mode: "l3s", flags: rt.IPVLAN_F_VEPA },
  }),
  rt.createLink({ name: "eth9.10", lower: eth9, kind: { kind: "vlan", id: 10 } }),
  rt.createLink({ name: "outer", lower: eth9, kind: { kind: "vlan", protocol: "802.1ad", id: 11 } }),
];

function linksOf(command: string): readonly rt.Link[] {
  const dump = dumps.find((one) => one.command === command);
  assert.ok(dump !== undefined, command);
  const messages = dump.received.flatMap((hex) => [...readMessages(Buffer.from(hex, "hex"))]);
  return messages.map(rt.decodeLink).filter((link) => link !== undefined);
}

const told = ({ name, lower, lowerNetnsId, kind }: rt.Link) => ({ name, lower, lowerNetnsId, kind });

test("links on links are asked for as ip does, also for another namespace", () => {
  assert.equal(requests.length, ours.length);
  for (const [i, { command, request }] of requests.entries()) {
    const own = ours[i];
    assert.ok(own !== undefined);
    assert.deepEqual(canonical(requestBytes(own)), canonical(Buffer.from(request, "hex")), command);
  }
});

test("VLANs tell the link below, their tag and its protocol", () => {
  const flags = { flags: rt.VLAN_FLAG_REORDER_HDR, mask: 0xffffffff };
  const links = linksOf("ip -d link show").filter(({ lower }) => lower !== undefined);
  assert.deepEqual(links.map(told), [
    {
      name: "eth9.10",
      lower: eth9,
      lowerNetnsId: undefined,
      kind: { kind: "vlan", id: 10, protocol: "802.1Q", flags },
    },
    {
      name: "outer",
      lower: eth9,
      lowerNetnsId: undefined,
      kind: { kind: "vlan", id: 11, protocol: "802.1ad", flags },
    },
  ]);
});

test("macvlans and ipvlans in another namespace tell the link below, where it is, and their mode", () => {
  const links = linksOf("ip -n box -d link show").filter(({ lower }) => lower !== undefined);
  assert.deepEqual(links.map(told), [
    { name: "eth0", lower: eth9, lowerNetnsId: 0, kind: { kind: "macvlan", mode: "private", flags: 0 } },
    { name: "eth1", lower: eth9, lowerNetnsId: 0, kind: { kind: "macvlan", mode: "bridge", flags: 0 } },
    {
      name: "eth2",
      lower: eth8,
      lowerNetnsId: 0,
      kind: { kind: "ipvlan", mode: "l3s", flags: rt.IPVLAN_F_VEPA },
    },
  ]);
});
