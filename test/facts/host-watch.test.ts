import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { parseInterfaceAddress, parsePrefix } from "../../src/core/index.ts";
import { type HostChange, HostWatch } from "../../src/facts/index.ts";
import {
  hostNetns,
  type KernelObject,
  LinuxKernel,
  linkGroup,
  type Operation,
} from "../../src/kernel/index.ts";
import { NETLINK_NETFILTER, nftables, rtnetlink } from "../../src/kernel/netlink/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";

interface Watched {
  readonly host: TestNetns;
  /** Carries out operations as weft does. */
  apply(...operations: readonly Operation[]): Promise<void>;
  /** What was told of since the last call. */
  told(): Promise<readonly HostChange[]>;
}

/** Watches a host from the time on when `before` is there. */
function onHost(before: readonly KernelObject[], work: (watched: Watched) => Promise<void>): Promise<void> {
  return withNetns(["host"], async ({ host }) => {
    const kernel = new LinuxKernel(host.path);
    const apply = async (...operations: readonly Operation[]) => {
      const outcomes = await kernel.apply(operations);
      assert.deepEqual(
        outcomes,
        operations.map(() => undefined),
      );
    };
    await apply(...before.map((object) => ({ op: "create", object }) as const));
    const watch = HostWatch.open(host.path);
    const changes: HostChange[] = [];
    watch.events.subscribe((change) => changes.push(change));
    const told = async () => {
      await watch.flush();
      return changes.splice(0);
    };
    try {
      await work({ host, apply, told });
    } finally {
      await watch.close();
      kernel.close();
    }
  });
}

const table: KernelObject = {
  kind: "nft-table",
  netns: hostNetns,
  definition: {
    family: "inet",
    table: "weft",
    sets: { ifs: { key: ["ifname"] } },
    chains: { forward: { rules: [nftables.rule("inet", [nftables.accept])] } },
  },
};
const element = (name: string): KernelObject => ({
  kind: "nft-element",
  netns: hostNetns,
  family: "inet",
  table: "weft",
  set: "ifs",
  type: { key: ["ifname"] },
  element: { key: [name] },
});
const create = (object: KernelObject): Operation => ({ op: "create", object });
const remove = (object: KernelObject): Operation => ({ op: "delete", object });

test("what others change of the rule set is told, with who it was and what it concerns", () =>
  onHost([table], async ({ host, told }) => {
    const filter = { family: "ip", table: "filter" } as const;
    const ours = { family: "inet", table: "weft" } as const;
    const theirs = { family: "ip6", table: "theirs" } as const;
    const rows: readonly (readonly [readonly string[], readonly nftables.TableName[], boolean, boolean])[] = [
      [["iptables", "-P", "FORWARD", "DROP"], [filter], false, true],
      [["iptables", "-A", "FORWARD", "-j", "ACCEPT"], [filter], false, true],
      [["iptables", "-F"], [filter], false, true],
      [["nft", "add table ip6 theirs; add set ip6 theirs s { type mark; }"], [theirs], false, true],
      [["nft", "add element ip6 theirs s { 1, 2, 3 }"], [theirs], false, false],
      [
        ["nft", "add chain ip6 theirs f { type filter hook forward priority 0; policy drop; }"],
        [theirs],
        false,
        true,
      ],
      [["nft", "add element inet weft ifs { eth0 }"], [ours], true, false],
      [["nft", "flush chain inet weft forward; add element ip6 theirs s { 4 }"], [ours, theirs], true, false],
      [["nft", "flush", "ruleset"], [ours, filter, theirs], true, true],
    ];
    const sorted = (tables: readonly nftables.TableName[]) =>
      tables.map((one) => `${one.family} ${one.table}`).sort();
    for (const [[program = "", ...args], tables, isOurs, chains] of rows) {
      host.exec(program, ...args);
      const [change, ...more] = await told();
      assert.ok(change?.change === "rules" && more.length === 0, args.join(" "));
      assert.deepEqual(sorted(change.tables), sorted(tables), args.join(" "));
      assert.deepEqual(
        [change.program, change.ours, change.chains],
        [program, isOurs, chains],
        args.join(" "),
      );
    }
  }));

test("what weft changes of the rule set itself is not told, in the middle of what others do", () =>
  onHost([], async ({ host, apply, told }) => {
    await apply(create(table));
    host.exec("nft", "add table ip6 theirs");
    await apply(create(element("br0")), create(element("br1")));
    host.exec("nft", "delete table ip6 theirs");
    await apply(remove(element("br0")), remove(table));
    const changes = await told();
    assert.deepEqual(
      changes.map((change) => (change.change === "rules" ? change.tables.map((one) => one.table) : change)),
      [["theirs"], ["theirs"]],
    );
  }));

const bridge = (name: string, mtu?: number): KernelObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "bridge" },
  mtu,
});
const veth = (name: string): KernelObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "veth", peer: { netns: hostNetns, name: `${name}p` } },
});
const port = (link: string, master: string): KernelObject => ({
  kind: "port",
  netns: hostNetns,
  link,
  master,
  hairpin: false,
  isolated: false,
});
const up = (link: string): KernelObject => ({ kind: "up", netns: hostNetns, link });
const address = (link: string, text: string): KernelObject => ({
  kind: "address",
  netns: hostNetns,
  link,
  address: parseInterfaceAddress(text),
});
const route: KernelObject = {
  kind: "route",
  netns: hostNetns,
  destination: parsePrefix("10.9.0.0/16"),
  metric: 0,
  link: "br0",
};
/** What a bridge network and an endpoint are made of. */
const network = (n: number): readonly KernelObject[] => [
  bridge(`br${n}`),
  address(`br${n}`, `10.${n}.0.1/24`),
  address(`br${n}`, `fd00:${n}::1/64`),
  up(`br${n}`),
  veth(`veth${n}`),
  port(`veth${n}`, `br${n}`),
  up(`veth${n}`),
  up(`veth${n}p`),
];

const disturbances: readonly (readonly [string, readonly string[]])[] = [
  ["address del fd00:0::1/64 dev br0", ["br0"]],
  ["route del 10.9.0.0/16 dev br0", ["br0"]],
  ["link set br0 down", ["br0"]],
  ["link set br0 up", []],
  ["link set br0 mtu 1300", ["br0"]],
  ["link set veth0 nomaster", ["veth0"]],
  ["link set veth0 master br1", []],
  ["link set veth0 master br0", ["veth0"]],
  ["link set veth0 address 02:00:00:00:00:99", ["veth0"]],
  ["link set veth0 group 7", ["other br0", "other veth0"]],
  ["address del 10.0.0.1/24 dev br0", ["br0"]],
  ["address add 10.0.0.7/24 dev br0", []],
  ["link add strange0 type bridge", ["other strange0"]],
  ["link set strange0 up", ["other strange0"]],
  ["link set strange0 mtu 1300", ["other strange0"]],
  ["link set strange0 alias whatever", []],
  ["link set strange0 address 02:00:00:00:00:98", []],
  ["link set strange0 down", ["other strange0"]],
  ["link set strange0 name strange1", ["other strange1"]],
  ["link del strange1", ["other strange1"]],
  ["link del br1", ["br1", "veth1"]],
];

/** The links that changes tell of, but for the far ends of pairs, which weft makes in sandboxes. */
function namesIn(changes: readonly HostChange[]): readonly string[] {
  const names = changes.flatMap((change) => {
    if (change.change !== "links" && change.change !== "other links") return [change.change];
    const prefix = change.change === "links" ? "" : "other ";
    return change.links.filter((name) => !/^veth\d+p$/.test(name)).map((name) => prefix + name);
  });
  return [...new Set(names)].sort();
}

for (const known of [true, false])
  test(`what others take from weft's links is told, of links made ${known ? "before" : "after"} the watch began`, () => {
    const all = [...network(0), ...network(1), route];
    return onHost(known ? all : [], async ({ host, apply, told }) => {
      if (!known) await apply(...all.map(create));
      assert.deepEqual(namesIn(await told()), []);
      for (const [command, expected] of disturbances) {
        host.exec("ip", ...command.split(" "));
        assert.deepEqual(namesIn(await told()), expected, command);
      }
    });
  });

test("what weft does with its links from their making to their end is not told", () =>
  onHost(network(0), async ({ apply, told }) => {
    await apply(...[...network(1), ...network(2)].map(create));
    await apply(remove(port("veth0", "br0")), remove(address("br0", "10.0.0.1/24")));
    assert.deepEqual(namesIn(await told()), ["br0", "veth0"], "but what it takes from a link that stays is");
    await apply(...["veth0", "veth1", "veth2"].map((name) => remove(veth(name))));
    await apply(remove(bridge("br0")));
    await apply(...["br1", "br2"].map((name) => remove(bridge(name))));
    assert.deepEqual(namesIn(await told()), []);
  }));

test("what weft builds on a link of the host is not told, and what becomes of that link is", () =>
  onHost([], async ({ host, apply, told }) => {
    host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "veth9p");
    host.exec("ip", "link", "set", "eth0", "up");
    await told();
    const spec = { type: "macvlan", parent: "eth0", mode: "bridge" } as const;
    const macvlan: KernelObject = { kind: "link", netns: hostNetns, name: "mv0", spec, mtu: 1400 };
    await apply(create(macvlan), create(up("mv0")));
    assert.deepEqual(namesIn(await told()), []);
    host.exec("ip", "link", "set", "eth0", "mtu", "1300");
    assert.deepEqual(namesIn(await told()), ["mv0", "other eth0"]);
    await apply(remove(macvlan));
    assert.deepEqual(namesIn(await told()), []);
    host.exec("ip", "link", "delete", "eth0");
    assert.deepEqual(namesIn(await told()), ["other eth0"]);
  }));

test("when the kernel had no room for all, anything may have changed, and the watch goes on", () =>
  withNetns(["host"], async ({ host }) => {
    const watch = HostWatch.open(host.path, 4096);
    const told: string[] = [];
    watch.events.subscribe(({ change }) => told.push(change));
    const big = { family: "ip", table: "big", set: "s" } as const;
    const type = { key: ["mark"] } as const;
    const elements = Array.from({ length: 20_000 }, (_, i) => ({ key: [i] }));
    nftables.commit(host.netlink(NETLINK_NETFILTER), [
      ...nftables.addTable(big),
      ...nftables.addSet(big, type),
      ...nftables.addElements(big, type, elements),
    ]);
    await watch.flush();
    assert.ok(told.includes("unknown"), told.join());
    told.length = 0;
    host.exec("nft", "add table ip later");
    await watch.flush();
    assert.deepEqual(told, ["rules"]);
    await watch.close();
  }));

test("what is lost of links after the kernel had no room for all is told again", () =>
  withNetns(["host"], async ({ host }) => {
    const watch = HostWatch.open(host.path, 16 * 1024);
    const told: HostChange[] = [];
    watch.events.subscribe((change) => told.push(change));
    const names = Array.from({ length: 200 }, (_, i) => `b${i}`);
    const bridges = names.map((name) =>
      rtnetlink.createLink({ name, group: linkGroup, kind: { kind: "bridge" } }),
    );
    host.netlink().request(bridges);
    await watch.flush();
    assert.ok(told.some(({ change }) => change === "unknown"));
    await watch.flush(); // the links are read anew
    told.length = 0;
    host.exec("ip", "link", "set", "b199", "mtu", "1300");
    await watch.flush();
    assert.deepEqual(told, [{ change: "links", links: ["b199"] }]);
    await watch.close();
  }));

test("a program that watches ends when it has nothing else to do", () => {
  const file = new URL("../../src/facts/index.js", import.meta.url).href;
  const program = `
    const { HostWatch } = await import(${JSON.stringify(file)});
    const watch = HostWatch.open("/proc/self/ns/net");
    await watch.flush();
    console.log("watched");
  `;
  const args = ["--net", process.execPath, "--input-type=module", "-e", program];
  const result = spawnSync("unshare", args, { timeout: 60_000, encoding: "utf8" });
  assert.deepEqual([result.status, result.stdout], [0, "watched\n"], result.stderr);
});
