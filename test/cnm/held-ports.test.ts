import assert from "node:assert/strict";
import { test } from "node:test";
import { heldPorts, portHandler } from "../../src/cnm/held-ports.ts";
import { type IpAddress, newId, parseAddress } from "../../src/core/index.ts";
import {
  HostPorts,
  MemoryPortProxies,
  MemoryPortSockets,
  type PublishedPort,
} from "../../src/ports/index.ts";
import { hostPortOf } from "../ports/samples.ts";
import { seededRandom } from "./deterministic.ts";

/** `0.0.0.0:80/tcp 10.0.0.2:8080` as what is published. */
function forward(text: string): PublishedPort {
  const [hostPort = "", target = ""] = text.split(" ");
  const end = target.lastIndexOf(":");
  const address: IpAddress = parseAddress(target.slice(0, end));
  return { ...hostPortOf(hostPort), target: address, port: Number(target.slice(end + 1)) };
}

function given() {
  const sockets = new MemoryPortSockets();
  const proxies = new MemoryPortProxies();
  const settings = () => ({ range: { first: 1, last: 2 }, reserved: [] });
  const handler = portHandler(new HostPorts({ sockets, settings }), proxies);
  const sandbox = newId(seededRandom("ports"));
  const held = (...texts: readonly string[]) => heldPorts({ sandbox, forwards: texts.map(forward) });
  /** What is served, `0.0.0.0:80/tcp 10.0.0.2:8080`, with the target of clients of IPv4 where it is another. */
  const served = () =>
    [...proxies.served.values()].map(({ id, target, targetPort, ipv4Target }) => {
      const four = ipv4Target === undefined ? "" : ` for IPv4 ${ipv4Target.address}:${ipv4Target.port}`;
      return `${id} ${target}:${targetPort}${four}`;
    });
  return { sockets, handler, held, served };
}

const four = "0.0.0.0:80/tcp 10.0.0.2:8080";
const six = "[::]:80/tcp fd00::2:8080";
const sixByProxy = "[::]:80/tcp 10.0.0.2:8080";
const both = "0.0.0.0:80/tcp fd00::2:8080 for IPv4 10.0.0.2:8080";

/** By what is held first, what is served of it. */
const rows: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[four, six], [both]],
  [
    [six, four],
    ["[::]:80/tcp fd00::2:8080", "0.0.0.0:80/tcp 10.0.0.2:8080"],
  ],
  [[four, sixByProxy], ["0.0.0.0:80/tcp 10.0.0.2:8080"]],
  [[six], ["[::]:80/tcp fd00::2:8080"]],
  [
    [four, six, "127.0.0.1:81/udp 10.0.0.2:53"],
    [both, "127.0.0.1:81/udp 10.0.0.2:53"],
  ],
  [["0.0.0.0:80/sctp 10.0.0.2:80", "[::]:80/sctp fd00::2:80"], []],
];

test("a port of both families is served once, and leads clients of each to their own target", async () => {
  for (const [forwards, expected] of rows) {
    const { handler, held, served, sockets } = given();
    await handler.acquire(held(...forwards));
    assert.deepEqual(served(), expected);
    await handler.release(held(...forwards));
    assert.deepEqual([served(), sockets.opened], [[], []]);
  }
});

test("whatever is held becomes whatever is wanted, and nothing else is served or kept", async () => {
  const plans: readonly (readonly string[])[] = [
    ...rows.map(([forwards]) => forwards),
    [four],
    [],
    [four, "[::]:80/tcp fd00::3:8080"],
    ["0.0.0.0:80/tcp 10.0.0.3:8080", six],
  ];
  for (const before of plans) {
    for (const after of plans) {
      const { handler, held, served, sockets } = given();
      await handler.acquire(held(...before));
      await handler.change?.(held(...after), held(...before));
      const what = `${before.join()} then ${after.join()}`;
      assert.deepEqual(sockets.opened, after.map((text) => text.split(" ")[0]).sort(), what);
      // Who is led where is the same whether one socket takes both families or each has one.
      assert.deepEqual(targets(served()), targets(after.filter((text) => !text.includes("sctp"))), what);
      await handler.release(held(...after));
      assert.deepEqual([served(), sockets.opened], [[], []], what);
    }
  }
});

/** The targets by themselves, each once. */
function targets(lines: readonly string[]): readonly string[] {
  return [...new Set(lines.flatMap((line) => line.split(/ for IPv4 | /).slice(1)))].sort();
}
