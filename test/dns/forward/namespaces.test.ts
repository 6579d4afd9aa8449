import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { parseAddress } from "../../../src/core/index.ts";
import { DnsService, type Forwarding, type UpstreamServer } from "../../../src/dns/index.ts";
import { openUdpTo, sendDatagram } from "../../../src/kernel/client-sockets.ts";
import { closeFd, openUdpAndTcp } from "../../../src/kernel/index.ts";
import { type TestNetns, withNetns } from "../../netns-fixture.ts";
import { openFdCount, openSockets } from "../bound-sockets.ts";
import { dataOf, idOf, opt, queryFor } from "../samples.ts";
import { type Answering, askInside, RealServer } from "./real-server.ts";
import { aRecords, responseTo } from "./upstream-samples.ts";

const sandboxId = idOf(101);
const port = 61_053;

/** Answers everything with one address. */
const saying =
  (address: string): Answering =>
  (query) =>
    responseTo(query, { answers: aRecords("www.example.org", 0, address) });

function server(address: string, netns: TestNetns, zone?: string): UpstreamServer {
  return { address: parseAddress(address), netns: netns.path, ...(zone === undefined ? {} : { zone }) };
}

/** A host and a sandbox with the resolver in it; checks that nothing of it is left. */
async function withResolver(
  use: (parts: {
    readonly host: TestNetns;
    readonly sandbox: TestNetns;
    readonly service: DnsService;
    readonly forward: (forwarding: Forwarding) => Promise<void>;
    readonly open: (netns: TestNetns, address: string, answering: Answering) => Promise<RealServer>;
  }) => Promise<void>,
): Promise<void> {
  await withNetns(["host", "sandbox"], async ({ host, sandbox }) => {
    for (const netns of [host, sandbox]) netns.exec("ip", "link", "set", "lo", "up");
    const before = openFdCount();
    const service = await DnsService.start();
    const servers: RealServer[] = [];
    try {
      await service.serve(sandboxId, openUdpAndTcp(sandbox.path, [127, 0, 0, 11], port));
      const forward = async (forwarding: Forwarding) => {
        service.forward(sandboxId, forwarding);
        await service.flush();
      };
      const open = async (netns: TestNetns, address: string, answering: Answering) => {
        const opened = await RealServer.open(netns, address, answering);
        servers.push(opened);
        return opened;
      };
      await use({ host, sandbox, service, forward, open });
    } finally {
      await service.close();
      await Promise.all(servers.map((one) => one.close()));
    }
    assert.equal(openFdCount(), before);
  });
}

const query = queryFor("www.example.org");

test("the host's loopback server is asked from the host, the user's own from the sandbox", async () => {
  await withResolver(async ({ host, sandbox, service, forward, open }) => {
    assert.equal((await askInside(sandbox, port, query)).rcode, "SERVFAIL", "nobody to ask");
    await open(host, "127.0.0.53", saying("192.0.2.1"));
    await open(sandbox, "127.0.0.53", saying("192.0.2.2"));
    await open(sandbox, "::1", saying("192.0.2.3"));
    const table: readonly (readonly [from: UpstreamServer, address: string])[] = [
      [server("127.0.0.53", host), "192.0.2.1"],
      [server("127.0.0.53", sandbox), "192.0.2.2"],
      [server("::1", sandbox), "192.0.2.3"],
    ];
    for (const [from, address] of table) {
      await forward({ servers: [from] });
      assert.deepEqual(dataOf(await askInside(sandbox, port, query)), [address]);
    }
    const { forwarding, counters } = await service.stats();
    assert.deepEqual(
      forwarding.upstreams.map(({ address, state, answered }) => [address, state, answered]),
      [["::1", "up", 1]],
    );
    assert.deepEqual([counters.forwarded, counters.upstreamQueries], [3, 3]);
  });
});

test("a long answer comes over TCP, and is kept", async () => {
  await withResolver(async ({ host, sandbox, service, forward, open }) => {
    const many = aRecords("www.example.org", 60, ...Array.from({ length: 70 }, (_, i) => `192.0.2.${i}`));
    const upstream = await open(host, "127.0.0.53", (asked, transport) =>
      responseTo(asked, transport === "udp" ? { flags: 0x0200 } : { answers: many }),
    );
    await forward({ servers: [server("127.0.0.53", host)] });
    const large = queryFor("www.example.org", "A", opt(4096));
    assert.equal((await askInside(sandbox, port, large)).answers?.length, 70);
    assert.equal((await askInside(sandbox, port, query)).flag_tc, true);
    assert.deepEqual(upstream.asked, ["udp", "tcp"]);
    service.flushCache();
    await service.flush();
    assert.equal((await askInside(sandbox, port, large)).answers?.length, 70);
    assert.equal((await service.stats()).counters.upstreamOverTcp, 2);
  });
});

test("a port where nobody listens, and a namespace that is gone, make way for the next server", async () => {
  await withResolver(async ({ host, sandbox, forward, open }) => {
    await open(host, "127.0.0.53", saying("192.0.2.1"));
    const gone: UpstreamServer = { address: parseAddress("127.0.0.53"), netns: `${host.path}-gone` };
    const closed = server("127.0.0.54", host);
    const noWay = server("2001:db8::1", host);
    await forward({ servers: [gone, closed, noWay, server("127.0.0.53", host)] });
    assert.deepEqual(dataOf(await askInside(sandbox, port, query)), ["192.0.2.1"]);
    await forward({ servers: [gone] });
    assert.equal((await askInside(sandbox, port, query)).rcode, "SERVFAIL");
  });
});

test("a link-local server is reached through its interface", async () => {
  await withResolver(async ({ host, sandbox, forward }) => {
    // A number that no interface has where the resolver's thread is: Node reads no link-local sender behind such.
    const peer = ["peer", "name", "up0", "netns", host.path];
    sandbox.exec("ip", "link", "add", "eth0", "index", "471147", "type", "veth", ...peer);
    for (const [netns, link, address] of [
      [host, "up0", "fe80::1/64"],
      [sandbox, "eth0", "fe80::2/64"],
    ] as const) {
      netns.exec("ip", "address", "add", address, "dev", link, "nodad");
      netns.exec("ip", "link", "set", link, "up");
    }
    const program = join(import.meta.dirname, "link-local-server.js");
    const upstream = host.start(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(upstream.stdout);
    const lines = createInterface(upstream.stdout)[Symbol.asyncIterator]();
    const said = async () => (await lines.next()).value;
    assert.equal(await said(), "listening");
    await forward({ servers: [server("fe80::1", sandbox, "eth0")] });
    assert.deepEqual(dataOf(await askInside(sandbox, port, query)), ["192.0.2.1"]);
    assert.deepEqual([await said(), await said()], ["udp", "tcp"]);
    await forward({ servers: [server("fe80::1", sandbox, "none0")] });
    assert.equal((await askInside(sandbox, port, query)).rcode, "SERVFAIL");
    const ended = once(upstream, "exit");
    upstream.kill();
    await ended;
  });
});

test("what a sandbox waits for ends with it, and its sockets with that", async () => {
  await withResolver(async ({ host, sandbox, service, forward, open }) => {
    let heard: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await open(host, "127.0.0.53", () => void heard());
    await forward({ servers: [server("127.0.0.53", host)] });
    const before = openSockets().length;
    const client = openUdpTo(sandbox.path, { address: parseAddress("127.0.0.11"), port });
    sendDatagram(client, query);
    await asked;
    assert.equal(openSockets().length, before + 2, "the client's, and one towards the server");
    await service.stop(sandboxId);
    closeFd(client);
    assert.equal(openSockets().length, before - 2, "that one is closed, and the two of the resolver");
  });
});
