import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress } from "../../../../src/core/index.ts";
import { flowDump } from "../../../../src/kernel/netlink/conntrack/flow-filter.ts";
import {
  countFlows,
  deleteFlows,
  type Flow,
  type FlowFilter,
  listFlows,
  listFlowsSlowly,
  matchesFlow,
} from "../../../../src/kernel/netlink/conntrack/index.ts";
import { NETLINK_NETFILTER } from "../../../../src/kernel/netlink/socket.ts";
import { type TestNetns, withNetns } from "../../../netns-fixture.ts";
import { insertFlow } from "../../flows.ts";

const address = parseAddress;

/** Flows to published ports, as DNAT leaves them, and some others. */
function published(host: TestNetns): void {
  insertFlow(host, { protocol: "tcp", to: "192.0.2.1", port: 80, behind: "10.0.0.2", client: "192.0.2.7" });
  insertFlow(host, { protocol: "udp", to: "192.0.2.1", port: 53, behind: "10.0.0.2", client: "192.0.2.7" });
  insertFlow(host, { protocol: "udp", to: "192.0.2.2", port: 53, behind: "10.0.0.3", client: "192.0.2.8" });
  insertFlow(host, {
    protocol: "udp",
    to: "2001:db8::1",
    port: 53,
    behind: "fd00::2",
    client: "2001:db8::7",
  });
  insertFlow(host, { protocol: "sctp", to: "192.0.2.1", port: 80, behind: "10.0.0.2", client: "192.0.2.7" });
}

const rows: readonly (readonly [FlowFilter, number])[] = [
  [{}, 5],
  [{ family: 6 }, 1],
  [{ family: 4, protocol: 17 }, 2],
  [{ protocol: 132 }, 1],
  [{ family: 4, original: { destinationPort: 53 } }, 2],
  [{ protocol: 17, original: { destination: address("192.0.2.1"), destinationPort: 53 } }, 1],
  [{ original: { destination: address("192.0.2.1") } }, 3],
  [{ reply: { source: address("10.0.0.2") } }, 3],
  [{ protocol: 6, reply: { source: address("10.0.0.2") } }, 1],
  [{ reply: { source: address("fd00::2") } }, 1],
  [{ original: { source: address("192.0.2.8") }, reply: { source: address("10.0.0.2") } }, 0],
  [{ original: { source: address("192.0.2.8"), sourcePort: 40000 } }, 1],
  [{ protocol: 17, reply: { sourcePort: 53, destinationPort: 40000 } }, 3],
];

const ids = (list: readonly Flow[]) => list.map(({ id }) => id).sort();

test("what is listed is just what the filter is true of", () =>
  withNetns(1, async ([host]) => {
    const socket = host.netlink(NETLINK_NETFILTER);
    assert.equal(countFlows(socket), 0);
    published(host);
    const all = listFlows(socket);
    assert.equal(countFlows(socket), all.length);
    assert.deepEqual(ids(await listFlowsSlowly(socket, {})), ids(all));
    for (const [filter, count] of rows) {
      const found = listFlows(socket, filter);
      assert.equal(found.length, count, JSON.stringify(filter));
      const here = all.filter((flow) => matchesFlow(filter, flow));
      assert.deepEqual(ids(found), ids(here), JSON.stringify(filter));
    }
  }));

test("the kernel gives only what a filter on addresses and ports asks for", () =>
  withNetns(1, ([host]) => {
    published(host);
    const socket = host.netlink(NETLINK_NETFILTER);
    for (const [filter, count] of rows) {
      const { family, protocol, original, reply } = filter;
      const ports = original?.destinationPort ?? original?.sourcePort;
      const addresses = original?.source ?? original?.destination ?? reply?.source;
      // What the kernel cannot compare is compared here.
      if ((ports !== undefined && protocol === undefined) || reply?.sourcePort !== undefined) continue;
      if (addresses?.includes(":")) continue;
      if (family === undefined && addresses === undefined && protocol !== undefined) continue;
      assert.equal(socket.dump(flowDump(filter), () => true).length, count, JSON.stringify(filter));
    }
  }));

test("just the flows given are forgotten, and one that is gone already is no error", () =>
  withNetns(1, ([host]) => {
    published(host);
    const socket = host.netlink(NETLINK_NETFILTER);
    const doomed = listFlows(socket, { reply: { source: address("10.0.0.2") } });
    assert.equal(deleteFlows(socket, doomed.slice(0, 1)), 1);
    assert.equal(deleteFlows(socket, doomed), 2);
    assert.equal(deleteFlows(socket, doomed), 0);
    const left = listFlows(socket)
      .map(({ reply }) => reply.source)
      .sort();
    assert.deepEqual(left, ["10.0.0.3", "fd00::2"]);
  }));

test("a flow with the same tuples and another id is not taken for the one that was listed", () =>
  withNetns(1, ([host]) => {
    published(host);
    const socket = host.netlink(NETLINK_NETFILTER);
    const flows = listFlows(socket);
    const others = flows.map((flow) => ({ ...flow, id: flow.id ^ 1 }));
    assert.equal(deleteFlows(socket, others), 0);
    assert.equal(deleteFlows(socket, flows), 5);
  }));

test("flows of ICMP and in a zone are forgotten too", () =>
  withNetns(1, ([host]) => {
    host.exec(
      "conntrack",
      "-I",
      "-p",
      "icmp",
      "-s",
      "192.0.2.7",
      "-d",
      "192.0.2.1",
      "--icmp-type",
      "8",
      "--icmp-code",
      "0",
      "--icmp-id",
      "77",
      "-t",
      "30",
    );
    host.exec(
      "conntrack",
      "-I",
      "-p",
      "icmpv6",
      "-s",
      "fd00::7",
      "-d",
      "fd00::1",
      "--icmpv6-type",
      "128",
      "--icmpv6-code",
      "0",
      "--icmpv6-id",
      "78",
      "-t",
      "30",
    );
    insertFlow(
      host,
      { protocol: "udp", to: "192.0.2.1", port: 53, behind: "10.0.0.2", client: "192.0.2.7" },
      "-w",
      "9",
    );
    insertFlow(
      host,
      { protocol: "udp", to: "192.0.2.1", port: 53, behind: "10.0.0.2", client: "192.0.2.7" },
      "--orig-zone",
      "7",
    );
    const socket = host.netlink(NETLINK_NETFILTER);
    const flows = listFlows(socket);
    assert.equal(flows.length, 4);
    assert.equal(deleteFlows(socket, flows), 4);
    assert.deepEqual(listFlows(socket), []);
  }));
