import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { type Clock, type MacAddress, parseAddress, parseMac, systemClock } from "../../../src/core/index.ts";
import { AddressProber, type AddressQuestion, type HeldAddress } from "../../../src/kernel/index.ts";
import { claimFilter, probeFrame } from "../../../src/kernel/neighbours/index.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";
import { arp, broadcastMac, linkOf, RawLink } from "../../packets/index.ts";

const v4 = parseAddress("192.0.2.5");
const v6 = parseAddress("2001:db8::5");
const free4 = parseAddress("192.0.2.77");
const free6 = parseAddress("2001:db8::77");
const hostMac = parseMac("02:00:00:00:00:50");
const lowerMac = parseMac("02:00:00:00:00:01");
const machineMac = parseMac("02:00:00:00:00:90");

/** A clock whose time goes by as soon as somebody sleeps; what happens while they do can be chosen. */
function passingClock(meanwhile: () => void = () => {}): Pick<Clock, "monotonic" | "sleep"> {
  let now = 0;
  return {
    monotonic: () => now,
    sleep: async (ms, signal) => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      meanwhile();
      signal?.throwIfAborted();
      now += ms;
    },
  };
}

interface Scene {
  readonly host: TestNetns;
  readonly machine: TestNetns;
  ask(
    question: Partial<AddressQuestion> & Pick<AddressQuestion, "addresses">,
    clock?: Pick<Clock, "monotonic" | "sleep">,
  ): Promise<readonly HeldAddress[]>;
}

/** A host whose link has no address, and a machine at its other end, which has {@link v4} and {@link v6}. */
async function onWire(work: (scene: Scene) => Promise<void>): Promise<void> {
  await withNetns(["host", "machine"], async ({ host, machine }) => {
    const end = ["peer", "name", "w0", "address", machineMac, "netns", machine.path];
    host.exec("ip", "link", "add", "w0", "address", hostMac, "type", "veth", ...end);
    machine.exec("ip", "address", "add", `${v4}/24`, "dev", "w0");
    machine.exec("ip", "address", "add", `${v6}/64`, "dev", "w0", "nodad");
    // A link that is coming up answers nothing until the kernel has noticed.
    for (const one of [host, machine]) one.exec("ip", "link", "set", "w0", "up");
    const ask: Scene["ask"] = (question, clock = systemClock) =>
      new AddressProber(host.fd, clock).ask(linkOf(host.path, "w0"), {
        ours: [],
        windowMs: 200,
        ...question,
      });
    await work({ host, machine, ask });
  });
}

const packetSockets = (host: TestNetns) =>
  host
    .run(() => readFileSync("/proc/thread-self/net/packet", "utf8"))
    .trim()
    .split("\n").length - 1;

/** Until all of `addresses` are said to be held; a busy machine may take longer than a window to answer. */
async function untilHeld(scene: Scene, addresses: AddressQuestion["addresses"]) {
  for (;;) {
    const held = await scene.ask({
      addresses,
      isEnough: (some) => some.length === addresses.length,
    });
    if (held.length === addresses.length) return held;
  }
}

test("who has an address says so, of either family, to a link that has none itself", async () => {
  await onWire(async (scene) => {
    const held = await untilHeld(scene, [v4, v6]);
    assert.deepEqual(
      [...held].sort((a, b) => (a.address < b.address ? -1 : 1)),
      [
        { address: v4, mac: machineMac },
        { address: v6, mac: machineMac },
      ],
    );
    assert.deepEqual(await scene.ask({ addresses: [free4, free6] }), []);
  });
});

test("what those who may have the address say is no answer", async () => {
  await onWire(async (scene) => {
    await untilHeld(scene, [v4, v6]);
    assert.deepEqual(await scene.ask({ addresses: [v4, v6], ours: [machineMac] }), []);
  });
});

test("three probes are sent in equal parts of the time, and nothing that tells neighbours of the sender", async () => {
  await onWire(async ({ machine, ask }) => {
    const raw = RawLink.open(machine.path, "w0");
    try {
      raw.heard();
      const sleeps: number[] = [];
      const clock = passingClock();
      const sleep = (ms: number, signal?: AbortSignal) => {
        sleeps.push(ms);
        return clock.sleep(ms, signal);
      };
      await ask({ addresses: [free4, free6], windowMs: 60 }, { ...clock, sleep });
      const expected = [probeFrame(hostMac, free4), probeFrame(hostMac, free6)].map((one) =>
        one.toString("hex"),
      );
      const heard = raw.heard().map((one) => one.toString("hex"));
      assert.deepEqual(
        heard.filter((one) => expected.includes(one)),
        [...expected, ...expected, ...expected],
      );
      assert.deepEqual(sleeps, [10, 10, 10, 10, 10, 10]);
    } finally {
      await raw.close();
    }
  });
});

/** What is held when the machine says something by hand while the host asks. */
async function whileSaying(
  scene: Scene,
  frames: (raw: RawLink) => readonly Buffer[],
  ours: MacAddress[] = [],
) {
  const raw = RawLink.open(scene.machine.path, "w0");
  try {
    const said = () => {
      for (const frame of frames(raw)) raw.send(frame);
    };
    return await scene.ask({ addresses: [free4, free6], ours, windowMs: 30 }, passingClock(said));
  } finally {
    await raw.close();
  }
}

test("of two that probe at once, the one with the lower Ethernet address goes on", async () => {
  await onWire(async (scene) => {
    const probes = (mac: MacAddress) => () => [probeFrame(mac, free4), probeFrame(mac, free6)];
    assert.deepEqual(await whileSaying(scene, probes(machineMac)), []);
    assert.deepEqual(await whileSaying(scene, probes(hostMac)), [], "a switch that sends back what it hears");
    assert.deepEqual(await whileSaying(scene, probes(lowerMac)), [
      { address: free4, mac: lowerMac },
      { address: free6, mac: lowerMac },
    ]);
    assert.deepEqual(await whileSaying(scene, probes(lowerMac), [lowerMac]), []);
  });
});

test("any ARP packet from the address says that it is held, and none with a VLAN's tag does", async () => {
  await onWire(async (scene) => {
    const hop = { from: machineMac, to: broadcastMac };
    const request = { operation: "request", sender: free4, target: "192.0.2.200" } as const;
    assert.deepEqual(await whileSaying(scene, () => [arp({ ...hop, vlan: 10 }, request)]), []);
    assert.deepEqual(await whileSaying(scene, () => [arp(hop, { ...request, sender: v4 })]), []);
    assert.deepEqual(await whileSaying(scene, () => [arp(hop, request)]), [
      { address: free4, mac: machineMac },
    ]);
  });
});

test("fifty questions at once have two sockets, and their answers are told apart", async () => {
  await onWire(async ({ host, machine }) => {
    const addresses = Array.from({ length: 50 }, (_, i) => parseAddress(`192.0.2.${100 + i}`));
    for (const [i, one] of addresses.entries())
      if (i % 2 === 0) machine.exec("ip", "address", "add", `${one}/24`, "dev", "w0");
    const sockets = new Set<number>();
    const prober = new AddressProber(host.fd, {
      ...systemClock,
      sleep: (ms, signal) => {
        sockets.add(packetSockets(host));
        return systemClock.sleep(ms, signal);
      },
    });
    const link = linkOf(host.path, "w0");
    const answers = () =>
      Promise.all(
        addresses.map((one) => prober.ask(link, { addresses: [one, free6], ours: [], windowMs: 200 })),
      );
    const expected = addresses.map((address, i) => (i % 2 === 0 ? [{ address, mac: machineMac }] : []));
    // A machine that was too busy to answer in time is asked again.
    let found = await answers();
    for (let i = 0; i < 20 && found.flat().length < 25; i++) found = await answers();
    assert.deepEqual(found, expected);
    assert.deepEqual([...sockets], [2]);
  });
});

for (const count of [61, 200, 2000]) {
  test(`${count} addresses asked for at once fit into what the smallest sockets hold, and are told apart`, async () => {
    await onWire(async (scene) => {
      const { host, machine } = scene;
      const limit = "/proc/sys/net/core/optmem_max"; // of a namespace, from Linux 6.8 on
      host.run(() => {
        if (existsSync(limit)) writeFileSync(limit, "20480");
      });
      const raw = RawLink.open(machine.path, "w0");
      try {
        const hop = { from: machineMac, to: broadcastMac };
        const said = () => {
          raw.send(arp(hop, { operation: "reply", sender: four(count - 1), target: "192.0.2.200" }));
          // Of two that probe, the lower goes on.
          raw.send(probeFrame(lowerMac, six(count - 1)));
        };
        const four = (i: number) => parseAddress(`10.1.${i >> 8}.${i & 255}`);
        const six = (i: number) => parseAddress(`2001:db8:1::${(i + 1).toString(16)}`);
        const prober = new AddressProber(host.fd, passingClock(said));
        const link = linkOf(host.path, "w0");
        const answers = await Promise.all(
          Array.from({ length: count }, (_, i) =>
            prober.ask(link, { addresses: [four(i), six(i)], ours: [], windowMs: 30 }),
          ),
        );
        assert.deepEqual(answers.slice(0, -1).flat(), []);
        assert.deepEqual(answers.at(-1), [
          { address: four(count - 1), mac: machineMac },
          { address: six(count - 1), mac: lowerMac },
        ]);
      } finally {
        await raw.close();
      }
    });
  });
}

test("a filter of many addresses lets pass what speaks of any, and is as long for all", () => {
  const filterOf = (family: 4 | 6, count: number) =>
    claimFilter(
      1,
      family,
      Array.from({ length: count }, (_, i) =>
        parseAddress(family === 4 ? `10.0.${i >> 8}.${i & 255}` : `::${i}`),
      ),
    );
  for (const family of [4, 6] as const) {
    assert.ok(filterOf(family, 61).length < filterOf(family, 2).length + 8 * 8);
    assert.deepEqual(filterOf(family, 61), filterOf(family, 2000));
    // The most that a filter which names addresses can come to in the kernel: instructions of 8 bytes, of each at most three.
    assert.ok(2 * 3 * filterOf(family, 60).length < 20_480);
  }
});

test("who has asked for an address and is not up yet stands up for it, and hears who takes it", async () => {
  await onWire(async ({ host, machine }) => {
    const lower = new AddressProber(host.fd, systemClock); // hostMac is lower than machineMac
    const link = linkOf(host.path, "w0");
    const asked = { addresses: [free4, free6], ours: [] };
    const guard = lower.guard(link, asked);
    const other = { ...asked, windowMs: 2000, isEnough: (held: readonly HeldAddress[]) => held.length === 2 };
    const higher = new AddressProber(machine.fd, systemClock);
    const held = await higher.ask(linkOf(machine.path, "w0"), other);
    assert.deepEqual(
      [...held].sort((a, b) => (a.address < b.address ? -1 : 1)),
      [
        { address: free4, mac: hostMac },
        { address: free6, mac: hostMac },
      ],
    );
    assert.deepEqual(guard.held(), [], "it is told, and gives up");
    const raw = RawLink.open(machine.path, "w0");
    try {
      const hop = { from: machineMac, to: broadcastMac };
      raw.send(arp(hop, { operation: "request", sender: free4, target: "192.0.2.200" }));
      raw.send(probeFrame(lowerMac, free6));
      while (guard.held().length < 2) await systemClock.sleep(1);
    } finally {
      await raw.close();
    }
    assert.deepEqual(guard.held(), [
      { address: free4, mac: machineMac },
      { address: free6, mac: lowerMac },
    ]);
    guard.end();
    guard.end();
    while (packetSockets(host) > 0) await systemClock.sleep(1); // they close on another thread
  });
});

test("a guard on a link that is gone hears nobody", async () => {
  await onWire(async ({ host }) => {
    const prober = new AddressProber(host.fd, systemClock);
    const asked = { addresses: [free4], ours: [] };
    const guard = prober.guard(linkOf(host.path, "w0"), asked);
    host.exec("ip", "link", "del", "w0");
    assert.deepEqual(guard.held(), []);
    guard.end();
    assert.deepEqual(prober.guard({ index: 4711, mac: hostMac }, asked).held(), []);
  });
});

test("who gives up ends the question, and a question leaves no socket, group or flag behind", async () => {
  await onWire(async ({ host, ask }) => {
    const group = "3333ff000077"; // of the solicited node of free6
    const groups = () => host.run(() => readFileSync("/proc/thread-self/net/dev_mcast", "utf8"));
    const controller = new AbortController();
    const during: string[] = [];
    const clock = passingClock(() => {
      during.push(groups());
      assert.match(host.exec("ip", "-d", "-o", "link", "show", "w0"), /promiscuity 0 .*allmulti 0/);
      if (during.length === 3) controller.abort(new Error("enough"));
    });
    const question = { addresses: [free4, free6], signal: controller.signal };
    await assert.rejects(ask(question, clock), { code: "ABORTED" });
    assert.equal(during.length, 3);
    for (const one of during) assert.ok(one.includes(group));
    while (packetSockets(host) > 0) await systemClock.sleep(1); // they close on another thread
    assert.ok(!groups().includes(group));
  });
});

test("a link that goes down or away while it is asked ends nothing but its own answers", async () => {
  await onWire(async ({ host, ask }) => {
    const down = passingClock(() => host.exec("ip", "link", "set", "w0", "down"));
    assert.deepEqual(await ask({ addresses: [free4, free6] }, down), []);
    host.exec("ip", "link", "set", "w0", "up");
    let gone = false;
    const away = passingClock(() => {
      if (!gone) host.exec("ip", "link", "del", "w0");
      gone = true;
    });
    assert.deepEqual(await ask({ addresses: [free4, free6] }, away), []);
    const prober = new AddressProber(host.fd, systemClock);
    const nowhere = { index: 4711, mac: hostMac };
    assert.deepEqual(await prober.ask(nowhere, { addresses: [free4], ours: [], windowMs: 200 }), []);
  });
});

test("a flood of frames about others hides no answer", async () => {
  await onWire(async (scene) => {
    const hop = { from: machineMac, to: broadcastMac };
    const other = arp(hop, { operation: "request", sender: "198.51.100.1", target: "198.51.100.2" });
    const own = arp(hop, { operation: "reply", sender: free4, target: "192.0.2.200" });
    // More than the socket could hold, if they came into it.
    const flood = () => [...Array.from({ length: 3000 }, () => other), own];
    assert.deepEqual(await whileSaying(scene, flood), [{ address: free4, mac: machineMac }]);
  });
});

test("a link that is the parent of macvlans hears who answers from outside", async () => {
  await onWire(async (scene) => {
    const { host } = scene;
    for (const [name, mode] of [
      ["mv0", "bridge"],
      ["mv1", "private"],
    ] as const) {
      host.exec("ip", "link", "add", "link", "w0", "name", name, "type", "macvlan", "mode", mode);
      host.exec("ip", "link", "set", name, "up");
    }
    assert.equal((await untilHeld(scene, [v4, v6])).length, 2);
    assert.deepEqual(await scene.ask({ addresses: [free4, free6] }), []);
  });
});
