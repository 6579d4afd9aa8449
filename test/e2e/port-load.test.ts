import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import type { Server } from "node:net";
import { suite, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Controller, Network, Sandbox } from "../../src/index.ts";
import { placeAt } from "../place.ts";
import { closed, serveTcp } from "../ports/netns-sockets.ts";
import type { Agent } from "./agent.ts";
import { KernelWatch } from "./kernel-watch.ts";
import { type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost } from "./uplink.ts";

/** The first port of the host that is published; the others follow it. */
const firstPort = 20_000;
/** All of them lead to this one. */
const serverPort = 80;
/** Each is a socket more. */
const watchedSandboxes = 20;
/** Clients at a time. */
const atOnce = 50;

/** How many sandboxes there are, and how many ports each publishes. */
interface Load {
  readonly sandboxes: number;
  readonly portsEach: number;
}

const nameOf = (index: number) => `box${index}`;

/** The host's ports that lead to a sandbox. */
function portsOf(index: number, { portsEach }: Load): readonly number[] {
  return Array.from({ length: portsEach }, (_, i) => firstPort + index * portsEach + i);
}

async function createAll(controller: Controller, network: Network, load: Load): Promise<readonly Sandbox[]> {
  const made: Sandbox[] = [];
  for (let index = 0; index < load.sandboxes; index++) {
    const ports = portsOf(index, load).map((port) => `${port}:${serverPort}`);
    made.push(await controller.createSandbox(nameOf(index), { endpoints: [{ network }], ports }));
  }
  return made;
}

async function deleteAll(controller: Controller): Promise<void> {
  await Promise.all(controller.sandboxes().map((sandbox) => sandbox.delete()));
  await controller.idle();
}

/** Starts a server in each sandbox that tells its name, over both families. */
async function serveAll(sandboxes: readonly Sandbox[], servers: Server[]): Promise<void> {
  for (const { containerId, key } of sandboxes)
    for (const address of ["0.0.0.0", "::"]) {
      const server = await serveTcp(placeAt(containerId, key), [address, serverPort], (socket) => {
        socket.on("error", () => {}); // the client gave up, which it tells
        socket.end(containerId);
      });
      servers.push(server);
    }
}

/** A port of the host, the address by which it is asked, and who is to answer. */
interface Ask {
  readonly address: string;
  readonly port: number;
  readonly answers: string;
}

/** So many ports of each sandbox, spread evenly, over IPv4 and IPv6 in turn. */
function sample(load: Load, fromEach: number): readonly Ask[] {
  const addresses = [hostAddresses.ipv4, hostAddresses.ipv6];
  return Array.from({ length: load.sandboxes }, (_, index) => {
    const ports = portsOf(index, load);
    const step = ports.length / fromEach;
    return Array.from({ length: fromEach }, (_, i) => ({
      address: addresses[(index + i) % 2] ?? "",
      port: ports[Math.floor(i * step + (index % step))] ?? 0,
      answers: nameOf(index),
    }));
  }).flat();
}

async function assertReached(client: Agent, asks: readonly Ask[]): Promise<void> {
  for (let start = 0; start < asks.length; start += atOnce) {
    const batch = asks.slice(start, start + atOnce);
    const answers = await Promise.all(batch.map(({ address, port }) => client.reach(address, "tcp", port)));
    assert.deepEqual(
      answers,
      batch.map(({ answers: name }) => name),
    );
  }
}

/** The elements of the maps that ports are in, a line each. */
function portElements({ netns }: TestHost): readonly string[] {
  return ["ports4", "ports6", "any4", "any6", "reserved"].flatMap((name) => {
    const kind = name === "reserved" ? "set" : "map";
    const [, elements] =
      /elements = \{([^}]*)\}/.exec(netns.exec("nft", "list", kind, "inet", "weft", name)) ?? [];
    return elements === undefined ? [] : elements.split(",");
  });
}

const descriptors = () => readdirSync("/proc/self/fd").length;

/** Opens the controller again, and asserts that no rule of the host or of the sandboxes was touched by it. */
async function reopen(host: TestHost, sandboxes: readonly Sandbox[]): Promise<Controller> {
  const watches = [host.netns.path, ...sandboxes.map(({ key }) => key)].map((path) => new KernelWatch(path));
  try {
    await host.controller.close();
    const controller = await host.open();
    const changes = watches.flatMap((watch) => watch.changes());
    // A bridge tells of its ports' states by itself, some time after they came.
    assert.deepEqual(
      changes.filter((change) => change.includes("nftables")),
      [],
    );
    return controller;
  } finally {
    for (const watch of watches) watch.close();
  }
}

function publishedBy(controller: Controller): readonly string[] {
  return controller
    .sandboxes()
    .flatMap((sandbox) =>
      sandbox.ports().map(({ hostAddress, hostPort }) => `${sandbox.containerId} ${hostAddress} ${hostPort}`),
    )
    .sort();
}

/** Publishes, asks, opens anew, asks again, deletes; no port may be left. */
async function live(host: TestHost, client: Agent, load: Load, asks: readonly Ask[]): Promise<void> {
  const network = host.controller.network("net");
  const sandboxes = await createAll(host.controller, network, load);
  const servers: Server[] = [];
  let controller: Controller;
  try {
    assert.equal(portElements(host).length, 3 * load.sandboxes * load.portsEach);
    await serveAll(sandboxes, servers);
    await assertReached(client, asks);
    const published = publishedBy(host.controller);
    assert.equal(published.length, 2 * load.sandboxes * load.portsEach);
    controller = await reopen(host, sandboxes.slice(0, watchedSandboxes));
    assert.deepEqual(publishedBy(controller), published);
    await assertReached(client, asks);
    assert.deepEqual(await controller.drift(), []);
  } finally {
    await Promise.all(servers.map(closed));
  }
  await deleteAll(controller);
  assert.deepEqual(portElements(host), []);
  assert.deepEqual(await controller.drift(), []);
}

/** What this process has open, by kind, for whoever looks for a leak. */
function openFiles(): string {
  const counts = new Map<string, number>();
  for (const fd of readdirSync("/proc/self/fd")) {
    const kind = kindOf(fd);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
}

function kindOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace(/:.*|[0-9]+/g, "");
  } catch {
    return "gone"; // it was the one that listed them
  }
}

/** Work for the kernel that is under way at one time has two sockets each; three pairs are kept for the next. */
const keptForTheKernel = 6;

/** A life under load, after a small one: the sockets that a controller opens once for all are no growth. */
async function carry(host: TestHost, load: Load, asks: readonly Ask[]): Promise<void> {
  await joinToHost(host);
  const ipam = { subnets: [{ subnet: "10.1.0.0/16" }] };
  await host.controller.createNetwork("bridge", "net", { ipv6: true, ipam });
  const client = await host.agent(host.outside);
  const small = { sandboxes: 3, portsEach: 1 };
  await live(host, client, small, sample(small, 1));
  const before = descriptors();
  await live(host, client, load, asks);
  await until(
    "no descriptor is left",
    () => descriptors() <= before + keptForTheKernel,
    () => `${descriptors() - before} more, now ${openFiles()}`,
  );
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Ports come and go so often, and less than what a record of one takes may be left of each. */
const [rounds, bytesOfAPort] = [8, 256];

/** What this process has open, and the bytes of objects that are alive. */
function inUse() {
  for (let i = 0; i < 3; i++) collectGarbage();
  return { descriptors: descriptors(), heap: process.memoryUsage().heapUsed };
}

suite("many published ports", () => {
  test("1,000 of one sandbox are all reached, survive a restart, and leave nothing", () =>
    withHost((host) => {
      const load = { sandboxes: 1, portsEach: 1000 };
      return carry(host, load, sample(load, 1000));
    }));

  // The bench has 500 sandboxes: npm run bench -- --only port-scale.
  test("5,000 of 100 sandboxes are reached, survive a restart, and leave nothing", () =>
    withHost((host) => {
      const load = { sandboxes: 100, portsEach: 50 };
      return carry(host, load, sample(load, 5));
    }));

  test("come and go without growth", () =>
    withHost(async (host) => {
      const { controller } = host;
      const network = await controller.createNetwork("bridge", "net", { ipv6: true });
      const load = { sandboxes: 10, portsEach: 100 };
      let first: ReturnType<typeof inUse> | undefined;
      for (let round = 0; round < rounds; round++) {
        await createAll(controller, network, load);
        await deleteAll(controller);
        // The first of all has things made that stay: compiled code, sockets for the host.
        if (round === 1) first = inUse();
      }
      assert.ok(first);
      const last = inUse();
      assert.ok(last.descriptors <= first.descriptors + keptForTheKernel, `${last.descriptors} descriptors`);
      const perPort = (last.heap - first.heap) / ((rounds - 2) * load.sandboxes * load.portsEach);
      assert.ok(perPort < bytesOfAPort, `${perPort.toFixed(0)} bytes for each port that came and went`);
    }));
});
