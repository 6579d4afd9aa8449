import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { type Prefix, parsePrefix } from "../../src/core/index.ts";
import { type HostFacts, LinuxFacts } from "../../src/facts/index.ts";
import { doomedLinkGroup, isKernelError, linkGroup } from "../../src/kernel/index.ts";
import { rtnetlink } from "../../src/kernel/netlink/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";

async function onHost(work: (host: TestNetns, facts: LinuxFacts, folder: string) => void): Promise<void> {
  await withNetns(["host"], ({ host }) => {
    const folder = path.dirname(host.path);
    const facts = new LinuxFacts(host.path, path.join(folder, "resolv.conf"));
    try {
      work(host, facts, folder);
    } finally {
      facts.close();
    }
  });
}

/** Two links that have carrier: a veth pair, both ends up. */
function addPair(host: TestNetns, name: string): void {
  host.exec("ip", "link", "add", name, "type", "veth", "peer", "name", `${name}p`);
  host.exec("ip", "link", "set", name, "up");
  host.exec("ip", "link", "set", `${name}p`, "up");
}

const onLink = (facts: HostFacts): readonly Prefix[] => [...facts.onLinkPrefixes()].sort();

test("a route is seen as soon as it is there, and gone as soon as it is gone", async () => {
  await onHost((host, facts) => {
    assert.deepEqual(onLink(facts), []);
    addPair(host, "eth0");
    host.exec("ip", "address", "add", "192.0.2.1/24", "dev", "eth0");
    assert.deepEqual(onLink(facts), ["192.0.2.0/24"]);
    host.exec("ip", "route", "add", "198.51.100.0/24", "dev", "eth0");
    host.exec("ip", "route", "add", "203.0.113.0/24", "via", "192.0.2.9"); // lies elsewhere
    assert.deepEqual(onLink(facts), ["192.0.2.0/24", "198.51.100.0/24"]);
    host.exec("ip", "route", "del", "198.51.100.0/24");
    assert.deepEqual(onLink(facts), ["192.0.2.0/24"]);
    host.exec("ip", "address", "del", "192.0.2.1/24", "dev", "eth0");
    assert.deepEqual(onLink(facts), []);
  });
});

test("routes go with their link, and when it goes down", async () => {
  await onHost((host, facts) => {
    for (const [name, address] of [
      ["eth0", "192.0.2.1/24"],
      ["eth1", "198.51.100.1/24"],
    ] as const) {
      addPair(host, name);
      host.exec("ip", "address", "add", address, "dev", name);
    }
    assert.deepEqual(onLink(facts), ["192.0.2.0/24", "198.51.100.0/24"]);
    host.exec("ip", "link", "set", "eth0", "down");
    assert.deepEqual(onLink(facts), ["198.51.100.0/24"]);
    host.exec("ip", "link", "del", "eth1");
    assert.deepEqual(onLink(facts), []);
  });
});

test("routes of weft's own links are not the host's, also of those on their way out", async () => {
  await onHost((host, facts) => {
    assert.deepEqual(onLink(facts), []);
    for (const [name, group] of [
      ["br0", linkGroup],
      ["br1", doomedLinkGroup],
      ["br2", 0],
    ] as const) {
      host.exec("ip", "link", "add", name, "group", String(group), "type", "bridge");
      host.exec("ip", "link", "set", name, "up");
    }
    for (const n of [0, 1, 2]) host.exec("ip", "address", "add", `10.${n}.0.1/24`, "dev", `br${n}`);
    assert.deepEqual(onLink(facts), ["10.2.0.0/24"]);
    const late = new LinuxFacts(host.path); // reads all anew
    assert.deepEqual(onLink(late), ["10.2.0.0/24"]);
    late.close();
  });
});

test("a default route out of a link reserves nothing", async () => {
  await onHost((host, facts) => {
    addPair(host, "eth0");
    host.exec("ip", "route", "add", "default", "dev", "eth0");
    assert.deepEqual(onLink(facts), []);
  });
});

test("when the kernel had to drop what it told, all is read anew", async () => {
  await onHost((host, facts) => {
    addPair(host, "eth0");
    const socket = host.netlink();
    const link = rtnetlink.getLink(socket, "eth0")?.index ?? 0;
    assert.deepEqual(onLink(facts), []);
    const count = 40_000;
    const routes = Array.from({ length: count }, (_, i) => parsePrefix(`10.${i >> 8}.${i & 255}.0/24`));
    for (let i = 0; i < count; i += 4000) {
      const part = routes.slice(i, i + 4000).map((destination) => rtnetlink.addRoute({ destination, link }));
      for (const outcome of socket.request(part)) assert.equal(outcome, undefined);
    }
    assert.equal(facts.onLinkPrefixes().length, count);
    host.exec("ip", "route", "add", "198.51.100.0/24", "dev", "eth0");
    assert.equal(facts.onLinkPrefixes().length, count + 1);
  });
});

test("a link has the kind that the kernel gives it", async () => {
  await onHost((host, facts) => {
    host.exec("ip", "link", "add", "br0", "type", "bridge");
    addPair(host, "eth0");
    assert.deepEqual(
      ["br0", "eth0", "lo", "none0"].map((name) => facts.linkKind(name)),
      ["bridge", "veth", "device", undefined],
    );
  });
});

test("a link is told with its MTU, its address, its bridge and whose it is", async () => {
  await onHost((host, facts) => {
    host.exec("ip", "link", "add", "br0", "type", "bridge");
    addPair(host, "eth0");
    host.exec("ip", "link", "set", "eth0", "address", "02:00:00:00:00:07", "mtu", "1400", "master", "br0");
    const common = { loopback: false, ours: false, onParent: undefined, vlan: undefined };
    assert.deepEqual(facts.link("eth0"), {
      ...common,
      name: "eth0",
      kind: "veth",
      mtu: 1400,
      mac: "02:00:00:00:00:07",
      up: true,
      running: true,
      master: "br0",
    });
    const bridge = facts.link("br0");
    assert.deepEqual([bridge?.up, bridge?.running, bridge?.master], [false, false, undefined]);
    assert.equal(facts.link("lo")?.loopback, true);
    assert.equal(facts.link("none0"), undefined);
    host.exec("ip", "link", "set", "eth0", "group", String(linkGroup));
    assert.equal(facts.link("eth0")?.ours, true);
  });
});

test("links that are built on another are told, and no far ends of pairs", async () => {
  await onHost((host, facts) => {
    host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    host.exec("ip", "link", "add", "mv0", "link", "eth0", "type", "macvlan", "mode", "bridge");
    host.exec("ip", "link", "add", "mv1", "link", "eth1", "type", "macvlan", "mode", "passthru");
    const names = (parent: string) => facts.linksOn(parent).map(({ name, kind }) => `${name} ${kind}`);
    assert.deepEqual(names("eth0"), ["mv0 macvlan"]);
    assert.deepEqual(names("eth1"), ["mv1 macvlan"]);
    const modes = (parent: string) => facts.linksOn(parent).map(({ onParent }) => onParent);
    assert.deepEqual([...modes("eth0"), ...modes("eth1")], [{ mode: "bridge" }, { mode: "passthru" }]);
    assert.deepEqual(names("mv0"), []);
    assert.deepEqual(names("none0"), []);
  });
});

test("what this kernel has is not missing, and what it lacks is told with its module", async () => {
  await onHost((_host, facts) => {
    for (const feature of facts.features()) {
      const missing = facts.missingFeature(feature.name);
      assert.deepEqual(missing, feature.available ? undefined : feature);
    }
    assert.equal(facts.missingFeature("bridge"), undefined);
  });
});

test("a link that a router advertised itself on is known by name", async () => {
  await onHost((host, facts) => {
    addPair(host, "eth0");
    assert.deepEqual(facts.linksWithAdvertisedRoute(), []);
    host.exec("ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0", "proto", "ra");
    assert.deepEqual(facts.linksWithAdvertisedRoute(), ["eth0"]);
    host.exec("ip", "-6", "route", "del", "default");
    host.exec("ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0");
    assert.deepEqual(facts.linksWithAdvertisedRoute(), []);
  });
});

test("a sysctl is read in the host's namespace, and there are those that no kernel has", async () => {
  await onHost((host, facts) => {
    host.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "1"));
    assert.equal(facts.sysctl("net/ipv4/ip_forward"), "1");
    assert.equal(facts.sysctl("net/ipv4/no_such_thing"), undefined);
  });
});

test("the host's resolv.conf is read when it is asked for", async () => {
  await onHost((_host, facts, folder) => {
    assert.equal(facts.resolvConf(), "");
    const file = path.join(folder, "resolv.conf");
    for (const text of ["nameserver 192.0.2.1\n", "nameserver 192.0.2.2\n"]) {
      writeFileSync(file, text);
      assert.equal(facts.resolvConf(), text);
    }
  });
});

test("a namespace that is not there is refused and leaves nothing open", async () => {
  await withNetns(["host"], ({ host }) => {
    const folder = path.dirname(host.path);
    assert.throws(
      () => new LinuxFacts(path.join(folder, "none")),
      (error) => isKernelError(error, "ENOENT"),
    );
    writeFileSync(path.join(folder, "plain"), "");
    assert.throws(
      () => new LinuxFacts(path.join(folder, "plain")),
      (error) => isKernelError(error, "EINVAL"),
    );
  });
});

test("the features of this kernel are probed and the probe leaves nothing", async () => {
  await onHost((host, facts, folder) => {
    const before = readdirSync(folder);
    const features = facts.features();
    const names = features.flatMap(({ name, available }) => (available ? [name] : []));
    for (const needed of ["bridge", "veth", "nftables NAT", "IPv6"] as const)
      assert.ok(names.includes(needed), needed);
    for (const { module, neededFor } of features) assert.ok(module !== "" && neededFor !== "");
    assert.deepEqual(readdirSync(folder), before);
    assert.doesNotMatch(host.exec("ip", "link"), /probe/);
  });
});

test("the host's bridges in use are those with a port that are not weft's", async () => {
  await withNetns(1, ([host]) => {
    host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    host.exec("ip", "link", "add", "idle", "type", "bridge");
    host.exec("ip", "link", "add", "used", "type", "bridge");
    host.exec("ip", "link", "set", "eth0", "master", "used");
    host.exec("ip", "link", "add", "br-own", "group", String(linkGroup), "type", "bridge");
    const facts = new LinuxFacts(host.path);
    try {
      assert.deepEqual(facts.bridgesInUse(), ["used"]);
    } finally {
      facts.close();
    }
  });
});

test("links too small for IPv6 are told, whosesoever they are", async () => {
  await onHost((host, facts) => {
    addPair(host, "eth0");
    for (const [name, mtu] of [
      ["eth0", 1280],
      ["eth0p", 1279],
    ] as const)
      host.exec("ip", "link", "set", name, "mtu", String(mtu));
    host.exec("ip", "link", "add", "br0", "mtu", "1000", "group", String(linkGroup), "type", "bridge");
    assert.deepEqual(facts.smallLinks(), ["br0", "eth0p"]);
  });
});

test("the links that forward are those of others, by families and keys", async () => {
  await onHost((host, facts) => {
    for (const name of ["b0", "a0.5", "own0"]) host.exec("ip", "link", "add", name, "type", "bridge");
    host.exec("ip", "link", "set", "own0", "group", String(linkGroup));
    const set = (key: string) => host.run(() => writeFileSync(`/proc/sys/net/${key}`, "1"));
    assert.deepEqual(facts.linksWith(4, "forwarding"), []);
    for (const name of ["b0", "a0.5", "own0", "lo", "default"]) set(`ipv4/conf/${name}/forwarding`);
    set("ipv6/conf/b0/forwarding");
    assert.deepEqual(facts.linksWith(4, "forwarding"), ["a0.5", "b0"]);
    assert.deepEqual(facts.linksWith(6, "forwarding"), ["b0"]);
    // Also on a kernel that knows no such key.
    assert.deepEqual(facts.linksWith(6, "force_forwarding"), []);
  });
});
