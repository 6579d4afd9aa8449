import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { isWeftError, parseAddress, parseMac } from "../../../src/core/index.ts";
import {
  hostNetns,
  isKernelError,
  type KernelObject,
  type LinkObject,
  LinuxKernel,
  netnsIdentity,
  type Outcome,
} from "../../../src/kernel/index.ts";
import { withNetns } from "../../netns-fixture.ts";
import { kernelCompliance } from "../kernel-compliance.ts";
import { onLinux, onLinuxHost } from "./on-linux.ts";

kernelCompliance("Linux", onLinuxHost);

const create = (kernel: LinuxKernel, ...objects: readonly KernelObject[]) =>
  kernel.apply(objects.map((object) => ({ op: "create", object })));
const done = (outcomes: readonly Outcome[]) =>
  assert.deepEqual(
    outcomes,
    outcomes.map(() => undefined),
  );
const bridge = (name: string, more: Partial<LinkObject> = {}): LinkObject => ({
  kind: "link",
  netns: hostNetns,
  name,
  spec: { type: "bridge" },
  ...more,
});
const veth = (netns: string, mtu?: number): LinkObject =>
  bridge("veth0", { spec: { type: "veth", peer: { netns, name: "eth0" } }, mtu });

test("a file is written in place, and its folder goes with its last file", async () => {
  await onLinux(async ({ kernel, fileFolder }) => {
    const file = (name: string, content: string): KernelObject => ({
      kind: "file",
      path: path.join(fileFolder, "box", name),
      content,
    });
    done(await create(kernel, file("hosts", "one"), file("hostname", "box")));
    const inode = statSync(path.join(fileFolder, "box", "hosts")).ino;
    done(
      await kernel.apply([
        { op: "change", object: file("hosts", "a longer one"), former: file("hosts", "one") },
      ]),
    );
    assert.equal(statSync(path.join(fileFolder, "box", "hosts")).ino, inode);
    done(await kernel.apply([{ op: "delete", object: file("hosts", "") }]));
    assert.ok(statSync(path.join(fileFolder, "box")).isDirectory());
    done(await kernel.apply([{ op: "delete", object: file("hostname", "") }]));
    assert.throws(() => statSync(path.join(fileFolder, "box")));
    writeFileSync(path.join(fileFolder, "stray"), "somebody's");
    assert.deepEqual(await kernel.read({ namespaces: [], fileFolder, lookUp: [] }), []);
  });
});

test("a namespace that a runtime made is taken by its path, and what is none is refused", async () => {
  await onLinux(async ({ kernel, host, netnsFolder }) => {
    const child = host.start("unshare", ["--net", "sleep", "60"]);
    const theirs = `/proc/${child.pid}/ns/net`;
    while (netnsIdentity(theirs) === netnsIdentity(host.path))
      await new Promise((resolve) => setImmediate(resolve));
    const box = path.join(netnsFolder, "box");
    writeFileSync(box, ""); // a crash came between making the file and mounting on it
    done(await create(kernel, { kind: "netns", netns: box, from: theirs }));
    assert.equal(netnsIdentity(box), netnsIdentity(theirs));
    const bad = [
      ["nothing", "ENOENT"],
      ["file", "EINVAL"],
    ] as const;
    writeFileSync(path.join(netnsFolder, "file"), "");
    for (const [name, errno] of bad) {
      const [outcome] = await create(kernel, {
        kind: "netns",
        netns: `${box}2`,
        from: path.join(netnsFolder, name),
      });
      assert.ok(isKernelError(outcome, errno), name);
    }
    done(await kernel.apply([{ op: "delete", object: { kind: "netns", netns: box } }]));
  });
});

test("a link whose second request is refused is not left half made", async () => {
  await onLinux(async ({ kernel, host }) => {
    const [outcome] = await create(kernel, bridge("br0", { alias: "x".repeat(300) }));
    assert.ok(isKernelError(outcome));
    assert.doesNotMatch(host.exec("ip", "link"), /br0/);
  });
});

test("a link of weft's whose far end is out of sight is found, and can be deleted", async () => {
  await withNetns(["host", "elsewhere"], async ({ host, elsewhere }) => {
    const kernel = new LinuxKernel(host.path);
    try {
      done(await create(kernel, veth(elsewhere.path)));
      const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
      const link = found.find(({ object }) => object.kind === "link" && object.name === "veth0");
      assert.ok(link?.marked && link.object.kind === "link");
      assert.deepEqual(link.object.spec, { type: "unknown" });
      done(await kernel.apply([{ op: "delete", object: link.object }]));
      assert.doesNotMatch(host.exec("ip", "link"), /veth0/);
      await assert.rejects(create(kernel, link.object), (error) => isWeftError(error, "INTERNAL"));
    } finally {
      kernel.close();
    }
  });
});

test("a pair's MTU is changed at both ends", async () => {
  await onLinux(async ({ kernel, host, netnsFolder }) => {
    const box = path.join(netnsFolder, "box");
    done(await create(kernel, { kind: "netns", netns: box }, veth(box, 1500)));
    done(await kernel.apply([{ op: "change", object: veth(box, 1400), former: veth(box, 1500) }]));
    assert.match(host.exec("nsenter", `--net=${box}`, "ip", "link", "show", "eth0"), /mtu 1400/);
    assert.match(host.exec("ip", "link", "show", "veth0"), /mtu 1400/);
  });
});

test("a value that a sysctl does not take is the refusal, with its name", async () => {
  await onLinux(async ({ kernel }) => {
    const [outcome] = await create(kernel, {
      kind: "sysctl",
      netns: hostNetns,
      key: "net/ipv4/ip_forward",
      value: "perhaps",
    });
    assert.ok(isKernelError(outcome, "EINVAL"));
    assert.match(outcome.message, /ip_forward/);
  });
});

test("a namespace's plain file is no namespace to a reading", async () => {
  await onLinux(async ({ kernel, netnsFolder }) => {
    const netns = path.join(netnsFolder, "box");
    writeFileSync(netns, "");
    const lookUp: readonly KernelObject[] = [
      { kind: "sysctl", netns, key: "net/ipv4/ip_forward", value: "1" },
    ];
    assert.deepEqual(await kernel.read({ namespaces: [netns], netnsFolder, lookUp }), []);
  });
});

test("the plain file of a namespace that was given up is told, so that it is removed", async () => {
  await onLinux(async ({ kernel, netnsFolder }) => {
    const netns = path.join(netnsFolder, "box");
    writeFileSync(netns, "");
    const found = await kernel.read({
      namespaces: [netns],
      givenUp: new Set([netns]),
      netnsFolder,
      lookUp: [],
    });
    assert.deepEqual(found, [{ object: { kind: "netns", netns }, marked: true }]);
  });
});

test("links can be made and read while others are being deleted", async () => {
  await onLinux(async ({ kernel }) => {
    const names = Array.from({ length: 6 }, (_, i) => `a${i}`);
    done(await create(kernel, ...names.map((name) => bridge(name))));
    const deletions = names.map((name) => kernel.apply([{ op: "delete", object: bridge(name) }]));
    done(await create(kernel, bridge("b0"), { kind: "up", netns: hostNetns, link: "b0" }));
    for (const outcomes of await Promise.all(deletions)) done(outcomes);
    const found = await kernel.read({ namespaces: [hostNetns], lookUp: [] });
    assert.deepEqual(
      found.flatMap(({ object, marked }) => (marked && object.kind === "link" ? [object.name] : [])),
      ["b0"],
    );
  });
});

test("an announced address replaces what a neighbour had cached", async () => {
  await onLinux(async ({ kernel, host, netnsFolder }) => {
    const box = path.join(netnsFolder, "box");
    const mac = parseMac("02:00:00:00:00:02");
    const spec = { type: "veth", peer: { netns: box, name: "eth0", mac } } as const;
    const up = (netns: string, link: string): KernelObject => ({ kind: "up", netns, link });
    done(
      await create(
        kernel,
        { kind: "netns", netns: box },
        bridge("veth0", { spec }),
        up(box, "eth0"),
        up(hostNetns, "veth0"),
      ),
    );
    const cached = ["10.0.0.2", "fd00::2"] as const;
    for (const one of cached)
      host.exec("ip", "neigh", "replace", one, "lladdr", "02:00:00:00:00:99", "dev", "veth0", "nud", "stale");
    const effect = {
      effect: "announce",
      netns: box,
      link: "eth0",
      mac,
      addresses: cached.map(parseAddress),
    } as const;
    const neighbours = () => host.exec("ip", "neigh", "show", "dev", "veth0");
    // The link may still be coming up: what is sent meanwhile is lost, and effects may run again.
    while (cached.some((one) => !new RegExp(`^${one} lladdr ${mac}`, "m").test(neighbours())))
      assert.deepEqual(await kernel.run([effect]), [undefined]);
    const none = { ...effect, link: "none0" };
    const [refused, announced, nothing] = await kernel.run([none, effect, { ...effect, addresses: [] }]);
    assert.ok(isKernelError(refused, "ENODEV"));
    assert.deepEqual([announced, nothing], [undefined, undefined]);
  });
});
