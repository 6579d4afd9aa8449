import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMac } from "../../src/core/index.ts";
import {
  compare,
  hostNetns,
  identityOf,
  isKernelError,
  type Kernel,
  type KernelObject,
  type LinkObject,
  type NftElementObject,
  type Operation,
} from "../../src/kernel/index.ts";
import {
  acceptRule,
  address,
  bridge,
  element,
  everything,
  route,
  sharedTable,
  table,
  up,
} from "./compliance-objects.ts";

/** A host of a test's own: the kernel, and the hand of somebody who is not weft. */
export interface KernelHost {
  readonly kernel: Kernel;
  readonly netnsFolder: string;
  readonly fileFolder: string;
  /** Makes a link in the host's namespace that others can move. */
  addStrangersLink(name: string): void;
  /** Gives a link of the host an address. */
  addStrangersAddress(link: string, address: string): void;
  /** Makes a base chain on the forward hook, and its table. */
  addStrangersChain(family: "ip" | "ip6" | "inet", table: string, chain: string): void;
  /** Takes it away with its table. */
  removeStrangersChain(family: "ip" | "ip6" | "inet", table: string, chain: string): void;
  /** Puts a rule into the chain that {@link sharedTable} keeps. */
  addUsersRule(): void;
  /** How many rules are in it. */
  usersRules(): number;
}

/** Gives a test its host, and takes it down after. */
export type OnHost = (work: (host: KernelHost) => Promise<void>) => Promise<void>;

/** How operations end: "done", "skipped" or the errno's name. */
export async function outcomes(
  { kernel }: KernelHost,
  ...operations: readonly Operation[]
): Promise<readonly string[]> {
  const ends = await kernel.apply(operations);
  return ends.map((end) => (isKernelError(end) ? end.errnoName : (end ?? "done")));
}

/** What makes an object. */
export const create = (object: KernelObject): Operation => ({ op: "create", object });
/** What deletes it. */
export const remove = (object: KernelObject): Operation => ({ op: "delete", object });
/** The same end for each. */
export const all = (operations: readonly unknown[], end: string) => operations.map(() => end);

async function reading(host: KernelHost, lookUp: readonly KernelObject[]) {
  const { netnsFolder, fileFolder } = host;
  const found = await host.kernel.read({ namespaces: [hostNetns], netnsFolder, fileFolder, lookUp });
  return new Map(found.map((one) => [identityOf(one.object), one]));
}

/** How each object stands: "right", "absent" or how it would have to be mended. */
export async function states(host: KernelHost, objects: readonly KernelObject[]): Promise<readonly string[]> {
  const found = await reading(host, objects);
  return objects.map((object) => {
    const there = found.get(identityOf(object))?.object;
    if (there === undefined) return "absent";
    const difference = compare(object, there);
    return difference === "none" ? "right" : difference;
  });
}

/** What carries weft's mark. */
export async function marked(host: KernelHost): Promise<readonly string[]> {
  return [...(await reading(host, []))]
    .filter(([, one]) => one.marked)
    .map(([identity]) => identity)
    .sort();
}

/** What every kernel must do. */
export function kernelCompliance(name: string, onHost: OnHost): void {
  const on = (sentence: string, work: (host: KernelHost) => Promise<void>) =>
    test(`${name}: ${sentence}`, () => onHost(work));

  on("an object of every kind is made, read as it was made, and deleted", async (host) => {
    const objects = everything(host);
    assert.deepEqual(await outcomes(host, ...objects.map(create)), all(objects, "done"));
    assert.deepEqual(await states(host, objects), all(objects, "right"));
    const own = objects.filter(
      (one) => one.kind !== "sysctl" && !(one.kind === "up" && one.netns !== hostNetns),
    );
    assert.deepEqual(await marked(host), own.map(identityOf).sort());
    const back = objects.toReversed();
    assert.deepEqual(await outcomes(host, ...back.map(remove)), all(back, "done"));
    assert.deepEqual(await marked(host), []);
    assert.deepEqual(await outcomes(host, ...back.map(remove)), all(back, "done"), "what is gone");
  });

  on("links, namespaces and tables are made once, all else as often as one likes", async (host) => {
    const objects = everything(host);
    await host.kernel.apply(objects.map(create));
    const once = new Set(["link", "netns", "nft-table"]);
    for (const object of objects)
      assert.deepEqual(
        await outcomes(host, create(object)),
        [once.has(object.kind) ? "EEXIST" : "done"],
        identityOf(object),
      );
    assert.deepEqual(await states(host, objects), all(objects, "right"));
  });

  on("what cannot be is refused, and what comes after is not tried", async (host) => {
    const box = `${host.netnsFolder}/box`;
    const nowhere = `${host.netnsFolder}/nowhere`;
    const pair = (netns: string, peer: string): KernelObject => ({
      ...bridge("veth9"),
      spec: { type: "veth", peer: { netns, name: peer } },
    });
    const down = bridge("down0");
    await host.kernel.apply([...everything(host), down].map(create));
    const unmade = { ...element(hostNetns, "ifs", { key: ["x"] }), set: "unmade" };
    const rows: readonly (readonly [string, Operation])[] = [
      ["ENODEV", create(address(hostNetns, "none0", "10.8.0.1/24"))],
      ["ENODEV", create(up(box, "none0"))],
      [
        "ENODEV",
        create({
          kind: "port",
          netns: hostNetns,
          link: "none0",
          master: "br0",
          hairpin: false,
          isolated: false,
        }),
      ],
      [
        "ENODEV",
        create({
          kind: "port",
          netns: hostNetns,
          link: "veth0",
          master: "none0",
          hairpin: false,
          isolated: false,
        }),
      ],
      ["ENODEV", create(route(box, "none0", "10.8.0.0/16"))],
      ["ENODEV", create(bridge("none0", { spec: { type: "adopted" } }))],
      ["ENODEV", create(bridge("eth1", { netns: box, spec: { type: "moved", from: "none0" } }))],
      ["ENODEV", { op: "change", object: bridge("none0"), former: bridge("none0") }],
      ["ENOENT", create(up(nowhere, "lo"))],
      ["ENOENT", create(bridge("br9", { netns: nowhere }))],
      ["ENOENT", create(pair(nowhere, "eth0"))],
      ["ENOENT", create(table(nowhere, ""))],
      ["ENOENT", create({ kind: "sysctl", netns: nowhere, key: "net/ipv4/ip_forward", value: "1" })],
      [
        "ENOENT",
        create({
          kind: "sysctl",
          netns: hostNetns,
          key: "net/ipv6/conf/none0/accept_ra",
          value: "1",
          link: "none0",
        }),
      ],
      ["ENOENT", create({ ...element(box, "ifs", { key: ["x"] }), table: "other" })],
      ["ENOENT", create(unmade)],
      [
        "ENOENT",
        {
          op: "change",
          object: { ...table(box, ""), definition: { ...table(box, "").definition, table: "other" } },
          former: table(box, ""),
        },
      ],
      ["ERANGE", create(bridge("sixteen-letters0"))],
      ["ERANGE", create(pair(box, "sixteen-letters0"))],
      ["EEXIST", create(pair(box, "eth0"))],
      ["EEXIST", create(bridge("veth0"))],
      [
        "EEXIST",
        create(element(hostNetns, "ports", { key: ["192.0.2.1", "tcp", 80], data: ["10.0.0.3", 8080] })),
      ],
      ["ENETUNREACH", create(route(box, "eth0", "10.8.0.0/16", "10.77.0.1"))],
      ["EHOSTUNREACH", create(route(box, "eth0", "fd08::/64", "fd77::1"))],
      ["ENETDOWN", create(route(hostNetns, "down0", "10.8.0.0/16"))],
      ["ENETDOWN", create(route(hostNetns, "down0", "fd08::/64"))],
    ];
    const before = await marked(host);
    // Links after one another go to the kernel together; a file does not.
    const after = create({ kind: "file", path: `${host.fileFolder}/after/file`, content: "" });
    for (const [errno, operation] of rows)
      assert.deepEqual(
        await outcomes(host, operation, after),
        [errno, "skipped"],
        `${operation.op} ${identityOf(operation.object)}`,
      );
    assert.deepEqual(await marked(host), before);
  });

  on("what can be changed in place is, and the rest of it stays", async (host) => {
    const objects = everything(host);
    const box = `${host.netnsFolder}/box`;
    await host.kernel.apply(objects.map(create));
    const changes: readonly KernelObject[] = [
      bridge("br0", { mtu: 1350, mac: parseMac("02:00:00:00:00:09"), alias: "network two" }),
      { kind: "port", netns: hostNetns, link: "veth0", master: "br0", hairpin: false, isolated: true },
      { kind: "file", path: `${host.fileFolder}/box/hosts`, content: "" },
      { kind: "sysctl", netns: hostNetns, key: "net/ipv4/ip_forward", value: "0" },
      route(box, "eth0", "0.0.0.0/0", "10.0.0.9"),
      route(box, "eth0", "::/0", "fd00::9"),
    ];
    for (const object of changes) {
      const former = objects.find((one) => identityOf(one) === identityOf(object)) ?? object;
      assert.deepEqual(await states(host, [object]), ["in-place"], identityOf(object));
      assert.deepEqual(await outcomes(host, { op: "change", object, former }), ["done"]);
    }
    assert.deepEqual(await states(host, changes), all(changes, "right"));
    const changed = new Set(changes.map(identityOf));
    const rest = objects.filter((one) => !changed.has(identityOf(one)));
    assert.deepEqual(await states(host, rest), all(rest, "right"));
  });

  on("a link with an MTU below 1280 has no IPv6, and begins anew with a larger one", async (host) => {
    const box = `${host.netnsFolder}/box`;
    const setting = (netns: string, link: string, name: string, value: string): KernelObject => ({
      kind: "sysctl",
      netns,
      key: `net/ipv6/conf/${link}/${name}`,
      value,
      link,
    });
    const br0 = (mtu: number) => bridge("br0", { mtu });
    const pair: LinkObject = {
      ...bridge("veth0"),
      spec: { type: "veth", peer: { netns: box, name: "eth0" } },
    };
    const small: LinkObject = { ...pair, mtu: 1000 };
    const theirs = [
      setting(hostNetns, "veth0", "disable_ipv6", "1"),
      setting(box, "eth0", "disable_ipv6", "1"),
    ];
    await host.kernel.apply([{ kind: "netns", netns: box } as const, small].map(create));
    for (const one of theirs) assert.deepEqual(await outcomes(host, create(one)), ["ENOENT"]);
    assert.deepEqual(await states(host, theirs), ["absent", "absent"]);
    assert.deepEqual(await outcomes(host, { op: "change", object: { ...pair, mtu: 1500 }, former: small }), [
      "done",
    ]);
    assert.deepEqual(await states(host, theirs), ["in-place", "in-place"]);
    assert.deepEqual(await outcomes(host, ...theirs.map(create)), ["done", "done"]);

    const four = address(hostNetns, "br0", "10.6.0.1/24");
    const isUp = up(hostNetns, "br0");
    const six = [
      setting(hostNetns, "br0", "accept_ra", "0"),
      setting(hostNetns, "br0", "autoconf", "0"),
      address(hostNetns, "br0", "fd06::1/64"),
      route(hostNetns, "br0", "fd07::/64"),
    ];
    const steps = [br0(1500), four, isUp, ...six];
    assert.deepEqual(await outcomes(host, ...steps.map(create)), all(steps, "done"));
    assert.deepEqual(await outcomes(host, { op: "change", object: br0(1279), former: br0(1500) }), ["done"]);
    assert.deepEqual(await states(host, [br0(1279), four, isUp]), ["right", "right", "right"]);
    assert.deepEqual(await states(host, six), all(six, "absent"));
    const refusals = await Promise.all(six.map(async (one) => (await outcomes(host, create(one)))[0]));
    assert.deepEqual(refusals, ["ENOENT", "ENOENT", "EINVAL", "ENODEV"]);
    assert.deepEqual(await outcomes(host, { op: "change", object: br0(1280), former: br0(1279) }), ["done"]);
    assert.deepEqual(await states(host, six), ["in-place", "in-place", "absent", "absent"]);
    assert.deepEqual(await outcomes(host, ...six.map(create)), all(six, "done"));
    assert.deepEqual(
      await states(host, [...steps.slice(1), ...theirs]),
      all([...steps.slice(1), ...theirs], "right"),
    );
  });

  on("another definition takes a table's place, without its elements", async (host) => {
    const [first, second] = [table(hostNetns, "first"), table(hostNetns, "second")];
    const [a, b] = [element(hostNetns, "ifs", { key: ["a"] }), element(hostNetns, "ifs", { key: ["b"] })];
    await host.kernel.apply([first, a].map(create));
    assert.deepEqual(await outcomes(host, { op: "change", object: second, former: first }, create(b)), [
      "done",
      "done",
    ]);
    assert.deepEqual(await states(host, [second, first, a, b]), ["right", "rebuild", "absent", "right"]);
  });

  on("what lives in an object goes with it", async (host) => {
    const objects = everything(host);
    await host.kernel.apply(objects.map(create));
    const bound = objects.filter(
      (one) =>
        (one.kind === "link" && one.name !== "br0") ||
        one.kind === "port" ||
        ((one.kind === "address" || one.kind === "up" || one.kind === "route") && one.link !== "lo"),
    );
    const links = objects.filter(({ kind }) => kind === "link");
    assert.deepEqual(await outcomes(host, ...links.map(remove)), all(links, "done"));
    assert.deepEqual(await states(host, [...links, ...bound]), all([...links, ...bound], "absent"));
    const box = objects.filter(
      (one) => one.kind === "netns" || (one.kind === "nft-table" && one.netns !== hostNetns),
    );
    assert.deepEqual(await outcomes(host, ...box.slice(0, 1).map(remove)), ["done"]);
    assert.deepEqual(await states(host, box), all(box, "absent"));
  });

  on("many links are deleted at once, and a stranger's of one of those names stays", async (host) => {
    const links = ["a0", "b0", "c0", "d0"].map((one) => bridge(one));
    await host.kernel.apply(links.slice(0, 3).map(create));
    host.addStrangersLink("d0");
    assert.deepEqual(await outcomes(host, ...links.map(remove)), all(links, "done"));
    const stranger = bridge("d0", { spec: { type: "adopted" } });
    assert.deepEqual(await states(host, [...links.slice(0, 3), stranger]), [
      "absent",
      "absent",
      "absent",
      "right",
    ]);
    assert.deepEqual(await outcomes(host, remove(bridge("d0"))), ["done"]);
    assert.deepEqual(await states(host, [stranger]), ["right"]);
  });

  on("an adopted link stays when it is given up, with what it had before", async (host) => {
    const link = bridge("ext0", { spec: { type: "adopted" } });
    const own = [address(hostNetns, "ext0", "10.7.0.1/24"), up(hostNetns, "ext0")];
    const before = [address(hostNetns, "ext0", "10.6.0.1/24"), address(hostNetns, "ext0", "fd06::1/64")];
    host.addStrangersLink("ext0");
    host.addStrangersAddress("ext0", "10.6.0.1/24");
    host.addStrangersAddress("ext0", "fd06::1/64");
    const steps = [link, ...own, ...before];
    assert.deepEqual(await outcomes(host, ...steps.map(create)), all(steps, "done"));
    assert.deepEqual(await marked(host), own.slice(0, 1).map(identityOf), "what was there stays unmarked");
    assert.deepEqual(await states(host, steps), all(steps, "right"));
    await host.kernel.apply([...own.map(remove), remove(link)]);
    // Linux takes the IPv6 addresses of a link that goes down.
    const stays = [link, ...before.slice(0, 1)];
    assert.deepEqual(await states(host, [...stays, ...own]), ["right", "right", "absent", "absent"]);
  });

  on("a moved link comes with its new name and goes back under its old one", async (host) => {
    const box = `${host.netnsFolder}/box`;
    const mac = parseMac("02:00:00:00:00:07");
    const moved: LinkObject = {
      kind: "link",
      netns: box,
      name: "eth5",
      spec: { type: "moved", from: "tap5" },
      mac,
    };
    const old = bridge("tap5", { spec: { type: "adopted" } });
    const inside = [address(box, "eth5", "10.5.0.2/24"), up(box, "eth5")];
    host.addStrangersLink("tap5");
    const steps: readonly KernelObject[] = [{ kind: "netns", netns: box }, moved, ...inside];
    assert.deepEqual(await outcomes(host, ...steps.map(create)), all(steps, "done"));
    assert.deepEqual(await states(host, [old, ...steps]), ["absent", ...all(steps, "right")]);
    assert.deepEqual(await outcomes(host, remove(moved)), ["done"]);
    assert.deepEqual(await states(host, [old, moved, ...inside]), ["right", "absent", "absent", "absent"]);
    assert.deepEqual(await outcomes(host, remove(moved)), ["done"], "what is gone");
    assert.deepEqual(await outcomes(host, create(moved), remove(moved)), ["done", "done"]);
  });

  on("operations on a rule set are done together or not at all", async (host) => {
    const ports = (address: string) =>
      element(hostNetns, "ports", { key: ["192.0.2.1", "tcp", 80], data: [address, 80] });
    await host.kernel.apply([table(hostNetns, "first"), ports("10.0.0.2")].map(create));
    const steps = [
      element(hostNetns, "ifs", { key: ["a"] }),
      ports("10.0.0.3"),
      element(hostNetns, "ifs", { key: ["b"] }),
    ];
    assert.deepEqual(await outcomes(host, ...steps.map(create)), ["skipped", "EEXIST", "skipped"]);
    assert.deepEqual(await states(host, steps), ["absent", "recreate", "absent"]);
  });

  on("every operation that a transaction is refused for is named", async (host) => {
    const pool = (text: string) => element(hostNetns, "pools", { key: [text] });
    const ports = (address: string, port: number) =>
      element(hostNetns, "ports", { key: ["192.0.2.1", "tcp", port], data: [address, 80] });
    const unmade = { ...pool("10.0.0.0/24"), set: "unmade" };
    const there = [table(hostNetns, "first"), ports("10.0.0.2", 80), ports("10.0.0.2", 81)];
    await host.kernel.apply(there.map(create));
    const steps = [
      ports("10.0.0.2", 82),
      ports("10.0.0.3", 80),
      ports("10.0.0.2", 83),
      ports("10.0.0.3", 81),
      unmade,
      pool("10.0.1.0/24"),
    ];
    const ends = ["skipped", "EEXIST", "skipped", "EEXIST", "ENOENT", "skipped"];
    assert.deepEqual(await outcomes(host, ...steps.map(create)), ends);
    assert.deepEqual(await states(host, there), all(there, "right"));
    const good = steps.filter((_step, i) => ends[i] === "skipped");
    assert.deepEqual(await outcomes(host, ...good.map(create)), all(good, "done"));
    assert.deepEqual(await states(host, good), all(good, "right"));
  });

  on("a table that cannot be rebuilt with all that is to be in it stays as it was", async (host) => {
    const [first, second] = [table(hostNetns, "first"), table(hostNetns, "second")];
    const [a, b] = [element(hostNetns, "ifs", { key: ["a"] }), element(hostNetns, "ifs", { key: ["b"] })];
    const unmade = { ...b, set: "unmade" };
    await host.kernel.apply([first, a].map(create));
    const rebuild: Operation = { op: "change", object: second, former: first };
    assert.deepEqual(await outcomes(host, rebuild, create(b), create(unmade)), [
      "skipped",
      "skipped",
      "ENOENT",
    ]);
    assert.deepEqual(await states(host, [first, a, b]), ["right", "right", "absent"]);
    assert.deepEqual(await outcomes(host, rebuild, create(b)), ["done", "done"]);
    assert.deepEqual(await states(host, [second, a, b]), ["right", "absent", "right"]);
  });

  on(
    "a chain that a table keeps for others survives another definition, and goes with the table",
    async (host) => {
      const [first, second] = [sharedTable("first"), sharedTable("second")];
      const ifs = (name: string): NftElementObject => ({ ...element(hostNetns, "ifs", { key: [name] }) });
      await host.kernel.apply([first, ifs("a")].map(create));
      assert.deepEqual(await states(host, [first]), ["right"]);
      host.addUsersRule();
      assert.equal(host.usersRules(), 1);
      assert.deepEqual(
        await states(host, [first, ifs("a")]),
        ["right", "right"],
        "their rules are not judged",
      );
      assert.deepEqual(await states(host, [second]), ["rebuild"]);
      const rebuild: Operation = { op: "change", object: second, former: first };
      assert.deepEqual(await outcomes(host, rebuild, create(ifs("b"))), ["done", "done"]);
      assert.deepEqual(await states(host, [second, first, ifs("a"), ifs("b")]), [
        "right",
        "rebuild",
        "absent",
        "right",
      ]);
      assert.equal(host.usersRules(), 1);
      assert.deepEqual(await outcomes(host, rebuild), ["done"]);
      assert.deepEqual(await states(host, [second, ifs("b")]), ["right", "absent"]);
      assert.equal(host.usersRules(), 1);
      assert.deepEqual(await outcomes(host, remove(second), create(first)), ["done", "done"]);
      assert.equal(host.usersRules(), 0);
    },
  );

  on("weft's rule in somebody's chain is made once, found, and goes with the chain", async (host) => {
    type Place = readonly ["ip" | "ip6" | "inet", string, string];
    const second: Place = ["ip6", "filter", "FORWARD"];
    const chains: readonly Place[] = [["ip", "filter", "FORWARD"], second, ["inet", "theirs", "judge"]];
    const rules = chains.map(([family, table, chain]) => acceptRule(family, table, chain));
    assert.deepEqual(await outcomes(host, ...rules.map(remove)), all(rules, "done"), "no chain, no rule");
    assert.deepEqual(await outcomes(host, ...rules.map(create)), all(rules, "ENOENT"));
    for (const chain of chains) host.addStrangersChain(...chain);
    assert.deepEqual(await marked(host), []);
    for (let again = 0; again < 2; again++) {
      assert.deepEqual(await outcomes(host, ...rules.map(create)), all(rules, "done"));
      assert.deepEqual(await states(host, rules), all(rules, "right"));
    }
    assert.deepEqual(await marked(host), rules.map(identityOf).sort());
    assert.deepEqual(await outcomes(host, ...rules.slice(0, 1).map(remove)), ["done"]);
    assert.deepEqual(await states(host, rules), ["absent", "right", "right"]);
    host.removeStrangersChain(...second);
    assert.deepEqual(await states(host, rules), ["absent", "absent", "right"]);
    assert.deepEqual(await outcomes(host, ...rules.map(remove)), all(rules, "done"));
    assert.deepEqual(await marked(host), []);
  });

  on("a deletion of what is gone hides no refusal of what comes with it", async (host) => {
    await host.kernel.apply([create(table(hostNetns, "first"))]);
    const gone = element(hostNetns, "ifs", { key: ["gone"] });
    const unmade = { ...element(hostNetns, "ifs", { key: ["x"] }), set: "unmade" };
    const good = element(hostNetns, "ifs", { key: ["good"] });
    assert.deepEqual(await outcomes(host, remove(gone), create(good), create(unmade)), [
      "done",
      "skipped",
      "ENOENT",
    ]);
    const nowhere = `${host.netnsFolder}/nowhere`;
    assert.deepEqual(await outcomes(host, remove(table(nowhere, "")), create(table(nowhere, ""))), [
      "done",
      "ENOENT",
    ]);
    assert.deepEqual(await outcomes(host, remove(up(nowhere, "lo")), create(up(nowhere, "lo"))), [
      "done",
      "ENOENT",
    ]);
  });

  on("a namespace that is not there is left out of a reading", async (host) => {
    const nowhere = `${host.netnsFolder}/nowhere`;
    const lookUp: readonly KernelObject[] = [
      { kind: "sysctl", netns: nowhere, key: "net/ipv4/ip_forward", value: "1" },
    ];
    assert.deepEqual(await host.kernel.read({ namespaces: [nowhere], lookUp }), []);
  });
}
