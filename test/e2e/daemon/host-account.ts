import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../../../src/api/index.ts";
import { inNetnsAt, isNetns } from "../../../src/kernel/netns.ts";
import { linksIn } from "../test-host.ts";
import { until } from "../until.ts";
import { startTicksOf } from "./process-traces.ts";
import type { TestDaemon } from "./test-daemon.ts";

/** Everything of a daemon's that can be counted, as its client is told of it. */
export interface Account {
  /** Networks with a link of their own on the host, `bridge` among them. */
  readonly networks: number;
  readonly sandboxes: readonly Sandbox[];
}

/** All that a daemon tells of its networks and sandboxes. */
export async function accountOf({ client }: TestDaemon): Promise<Account> {
  const networks = await client.networks();
  const listed = await client.sandboxes({}, { all: true });
  return {
    networks: networks.filter(({ Driver }) => Driver === "bridge").length,
    sandboxes: await askEach(listed, ({ Id }) => client.sandbox(Id)),
  };
}

/** A daemon takes 1,024 connections. */
const atOnce = 100;

async function askEach<T, Answer>(
  items: readonly T[],
  ask: (item: T) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < items.length; at += atOnce)
    answers.push(...(await Promise.all(items.slice(at, at + atOnce).map(ask))));
  return answers;
}

/** Counted without weft: the host holds what the daemon tells of, each thing once, and nothing else. */
export async function assertHostHolds(daemon: TestDaemon, { networks, sandboxes }: Account): Promise<void> {
  const open = sandboxes.filter(({ SandboxKey }) => SandboxKey !== "");
  const endpoints = open.flatMap(({ Networks }) => Object.values(Networks));
  const namespaces = join(daemon.root, "run/netns");
  const wanted = {
    links: 1 + networks + endpoints.length, // one is lo
    namespaces: open.map(({ SandboxKey }) => SandboxKey).sort(),
  };
  const held = () => ({
    // A test's own wires are called up0, up1.
    links: linksIn(daemon.netns).filter((link) => !link.startsWith("up")).length,
    namespaces: entries(namespaces)
      .map((name) => namespaceAt(join(namespaces, name)))
      .sort(),
  });
  // What was removed goes in the background.
  const differs = () => JSON.stringify(held()) !== JSON.stringify(wanted);
  if (differs()) await until("what was removed is gone", () => !differs()).catch(() => {});
  assert.deepEqual(held(), wanted);
  for (const sandbox of open) assertAddresses(sandbox);
  assertOnce(
    "address",
    endpoints.flatMap(({ NetworkID, IPAddress, GlobalIPv6Address }) =>
      [IPAddress, GlobalIPv6Address].filter((one) => one !== "").map((one) => `${NetworkID} ${one}`),
    ),
  );
  assertPorts(daemon, sandboxes);
  await assertProcesses(daemon, sandboxes);
  assertFiles(daemon, sandboxes, open);
}

/** A sandbox's namespace has the addresses that the daemon tells of, on the links that it names. */
function assertAddresses({ Name, SandboxKey, Networks }: Sandbox): void {
  const found = inNetnsAt(SandboxKey, () => os.networkInterfaces());
  const has = Object.entries(found).flatMap(([link, addresses = []]) =>
    addresses
      .filter(({ address, internal }) => !internal && !address.startsWith("fe80:"))
      .map(({ address }) => `${link} ${address}`),
  );
  const told = Object.values(Networks).flatMap(({ Interface, IPAddress, GlobalIPv6Address }) =>
    [IPAddress, GlobalIPv6Address].filter((one) => one !== "").map((one) => `${Interface} ${one}`),
  );
  assert.deepEqual(has.sort(), told.sort(), `the addresses of ${Name}`);
}

function assertPorts({ netns }: TestDaemon, sandboxes: readonly Sandbox[]): void {
  const told = sandboxes.flatMap(({ Ports }) =>
    Object.entries(Ports).flatMap(([port, bindings]) =>
      bindings.map(({ HostIp, HostPort }) => `${port.slice(port.indexOf("/") + 1)} ${HostIp} ${HostPort}`),
    ),
  );
  assertOnce("port", told);
  const wanted = new Set(told.map((one) => one.replace(/ .* /, " ")));
  // Each published port, on whichever addresses, is an element of this set.
  const elements = elementsOf(netns.exec("nft", "-j", "list", "table", "inet", "weft"), "reserved");
  assert.deepEqual(elements.toSorted(), [...wanted].toSorted(), "the published ports of the rule set");
}

/** The elements of a set as `tcp 8080`. */
function elementsOf(json: string, name: string): readonly string[] {
  const { nftables } = JSON.parse(json) as {
    readonly nftables: readonly {
      readonly set?: { readonly name: string; readonly elem?: readonly unknown[] };
    }[];
  }; // nft's format, libnftables-json(5)
  const elements = nftables.flatMap(({ set }) => (set?.name === name ? (set.elem ?? []) : []));
  return elements.map((element) => {
    const { concat } = element as { readonly concat: readonly (string | number)[] }; // of two types
    return concat.join(" ");
  });
}

/** Each command that is told of runs once, and nothing else of the daemon's does. */
async function assertProcesses(daemon: TestDaemon, sandboxes: readonly Sandbox[]): Promise<void> {
  const told = sandboxes.filter(({ State }) => State.Running).map(({ State }) => State.Pid);
  const running = () =>
    daemon.processes().filter(({ pid }) => pid !== daemon.pid && startTicksOf(pid) !== undefined);
  const others = () => running().filter(({ pid }) => !told.includes(pid));
  // Those that were just ended may still be dying.
  if (others().length > 0) await until("the others end", () => others().length === 0).catch(() => {});
  assert.deepEqual(
    others().map(({ what }) => what),
    [],
  );
  assert.equal(running().length, told.length, `processes ${told.join(" ")} run`);
}

function assertFiles({ root, run }: TestDaemon, all: readonly Sandbox[], open: readonly Sandbox[]): void {
  const folders = entries(join(root, "run/sandboxes"));
  // A kill between removing the last file of a folder and the folder itself leaves that, empty.
  const full = folders.filter((name) => entries(join(root, "run/sandboxes", name)).length > 0);
  assert.equal(full.length, open.length);
  const known = new Set(all.map(({ Id }) => Id));
  assert.deepEqual(
    entries(join(root, "commands")).filter((id) => !known.has(id)),
    [],
  );
  assert.deepEqual(entries(run), ["weft.sock"]);
}

function assertOnce(what: string, values: readonly string[]): void {
  const twice = values.filter((value, i) => values.indexOf(value) !== i);
  assert.deepEqual(twice, [], `no ${what} is given twice`);
}

/** A namespace's path, with a note when there is a file and no namespace. */
function namespaceAt(path: string): string {
  return isNetns(path) ? path : `${path}, which is no namespace`;
}

function entries(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
