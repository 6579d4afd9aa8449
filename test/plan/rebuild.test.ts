import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hostNetns,
  identityOf,
  type Kernel,
  type KernelObject,
  LinuxKernel,
  MemoryKernel,
  type NftElementObject,
  type NftTableObject,
} from "../../src/kernel/index.ts";
import { nftables } from "../../src/kernel/netlink/index.ts";
import { NETLINK_NETFILTER } from "../../src/kernel/netlink/socket.ts";
import { type Changes, Reconciler, StoreJournal } from "../../src/plan/index.ts";
import { MemoryStore } from "../../src/store/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { wanted } from "./objects.ts";

const { drop, getGeneration, jump, rule } = nftables;

const sets = {
  ports: { key: ["inet_service"], data: ["ipv4_addr"] },
  ifs: { key: ["ifname"] },
} as const satisfies Readonly<Record<string, nftables.SetType>>;

const table = (version: string): NftTableObject => ({
  kind: "nft-table",
  netns: hostNetns,
  definition: {
    family: "inet",
    table: "weft",
    sets,
    chains: {
      forward: {
        hook: { type: "filter", hook: "forward", priority: 0, policy: "accept" },
        rules: [rule("inet", [jump("user")], version)],
      },
      user: { rules: [], kept: true },
    },
  },
});
const element = (set: keyof typeof sets, value: nftables.SetElement): NftElementObject => ({
  kind: "nft-element",
  netns: hostNetns,
  family: "inet",
  table: "weft",
  set,
  type: sets[set],
  element: value,
});
const port = (number: number, to = "10.0.0.2") => element("ports", { key: [number], data: [to] });
/** A set that does not exist holds nothing. */
const impossible = (key: string): NftElementObject => ({ ...element("ifs", { key: [key] }), set: "none" });

const start = (kernel: Kernel) =>
  new Reconciler({ kernel, journal: new StoreJournal(new MemoryStore()), held: [] });
const plan = (...objects: readonly KernelObject[]): Changes => new Map([["a", wanted(...objects)]]);

const elements = async (kernel: Kernel) => {
  const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
  return found.flatMap(({ object }) => (object.kind === "nft-element" ? [identityOf(object)] : [])).sort();
};
const identities = (...objects: readonly NftElementObject[]) => objects.map(identityOf).sort();

/** A former weft's table, and a start of the next one that wants another, with elements that cannot be. */
async function rebuildWithRefusals(kernel: Kernel): Promise<void> {
  await start(kernel).change(plan(table("first"), port(1), port(2), port(3)));
  const next = start(kernel);
  next.stage(plan(table("second"), port(1), impossible("x"), port(2), impossible("y"), port(4)));
  const { failures } = await next.sync();
  assert.deepEqual(
    failures.map(({ step }) => step.identity).sort(),
    identities(impossible("x"), impossible("y")),
  );
  assert.deepEqual(await elements(kernel), identities(port(1), port(2), port(4)));
  assert.deepEqual(
    (await next.drift()).map(({ identity }) => identity).sort(),
    identities(impossible("x"), impossible("y")),
  );
}

test("in the twin, what is refused of a rebuilt table is left out, and all else comes with it", async () => {
  const kernel = new MemoryKernel();
  await rebuildWithRefusals(kernel);
});

function onLinux(work: (kernel: LinuxKernel, host: TestNetns) => Promise<void>): Promise<void> {
  return withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      await work(kernel, host);
    } finally {
      kernel.close();
    }
  });
}

test("on Linux, what is refused of a rebuilt table is left out, and all else comes in one transaction", () =>
  onLinux(async (kernel, host) => {
    const socket = host.netlink(NETLINK_NETFILTER);
    const before = getGeneration(socket);
    await rebuildWithRefusals(kernel);
    // One made the first table, one the second: there was none in between.
    assert.equal(getGeneration(socket), before + 2);
  }));

test("a table that cannot be rebuilt at all keeps what it has, and takes what it can", () =>
  onLinux(async (kernel) => {
    const bad = table("bad");
    const rules = [rule("inet", [jump("nowhere")])];
    const chains = { ...bad.definition.chains, extra: { rules } };
    const unmakeable = { ...bad, definition: { ...bad.definition, chains } };
    await start(kernel).change(plan(table("first"), port(1)));
    const next = start(kernel);
    next.stage(plan(unmakeable, port(1), port(2)));
    const { failures } = await next.sync();
    assert.deepEqual(
      failures.map(({ step }) => step.identity),
      [identityOf(unmakeable)],
    );
    assert.deepEqual(await elements(kernel), identities(port(1), port(2)));
  }));

test("the user's rules outlive a restart and a rebuild, and go with the table", () =>
  onLinux(async (kernel, host) => {
    await start(kernel).change(plan(table("first"), port(1)));
    host.exec("nft", "add set inet weft mine { type ipv4_addr; }");
    host.exec("nft", "add element inet weft mine { 192.0.2.1 }");
    host.exec("nft", "add rule inet weft user ip saddr @mine drop");
    const users = () =>
      host.exec("nft", "list chain inet weft user") + host.exec("nft", "list set inet weft mine");
    const before = users();
    for (const version of ["first", "second", "second"]) {
      const next = start(kernel);
      next.stage(plan(table(version), port(1)));
      assert.deepEqual((await next.sync()).failures, []);
      assert.deepEqual(await next.drift(), []);
      assert.equal(users(), before);
    }
    const last = start(kernel);
    await last.sync();
    assert.equal(host.exec("nft", "list ruleset"), "");
  }));

test("in the twin too", async () => {
  const kernel = new MemoryKernel();
  await start(kernel).change(plan(table("first"), port(1)));
  const { definition } = table("first");
  const chains = { ...definition.chains, user: { rules: [rule("inet", [drop])] } };
  const mine = { key: ["ipv4_addr"] } as const;
  const theirs = { ...port(9), set: "mine", type: mine, element: { key: ["192.0.2.1"] } };
  kernel.addForeign([
    { ...table("first"), definition: { ...definition, sets: { ...sets, mine }, chains } },
    theirs,
  ]);
  const users = () =>
    kernel
      .all()
      .map(({ object }) => (object.kind === "nft-table" ? object.definition.chains.user?.rules.length : 0));
  for (const version of ["first", "second"]) {
    const next = start(kernel);
    next.stage(plan(table(version), port(1)));
    await next.sync();
    assert.deepEqual(await next.drift(), []);
    assert.deepEqual(
      users().filter((count) => count !== 0),
      [1],
    );
    assert.ok((await elements(kernel)).includes(identityOf(theirs)));
  }
  await start(kernel).sync();
  assert.deepEqual(kernel.all(), []);
});
