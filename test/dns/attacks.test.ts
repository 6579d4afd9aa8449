import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { until } from "../e2e/until.ts";
import type { TestNetns } from "../netns-fixture.ts";
import { openFdCount } from "./bound-sockets.ts";
import { framed } from "./clients.ts";
import { TcpFlooder, UdpFlooder } from "./flooder.ts";
import type { FloodOrder } from "./flooding-worker.ts";
import { messageOf, question } from "./message-bytes.ts";
import { askFrom, forger } from "./odd-sources.ts";
import { goodAddress, type ResolverRig, withResolvers } from "./resolver-rig.ts";
import { decodeResponse, opt, queryFor, seeded } from "./samples.ts";
import { openTcpIn, resolver, SandboxClient } from "./sandbox-client.ts";
import { measureMemory } from "./worker-memory.ts";

/** An upstream server that says nothing, but to names below `good.test`. */
const silence = () => undefined;

/** Floods `netns` with `messages` from a thread of its own for as long as `work` takes. */
async function whileFlooded(
  netns: TestNetns,
  messages: readonly Uint8Array[],
  work: () => Promise<void>,
): Promise<void> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const workerData: FloodOrder = { netnsPath: netns.path, messages, stop };
  const flooder = new Worker(new URL("./flooding-worker.js", import.meta.url), { workerData, execArgv: [] });
  const ended = once(flooder, "exit");
  try {
    await work();
  } finally {
    Atomics.store(stop, 0, 1);
    await ended;
  }
}

suite("a sandbox attacks its resolver", () => {
  test("by floods of datagrams, of every kind: another sandbox is answered all along", () =>
    withResolvers(silence, async (rig) => {
      const random = seeded(1);
      const garbage = () => Buffer.from(Array.from({ length: 40 + random(200) }, () => random(256)));
      const floods: readonly (readonly [why: string, messages: readonly Uint8Array[]])[] = [
        ["queries", [queryFor("web"), queryFor("many"), queryFor("1.0.0.10.in-addr.arpa", "PTR")]],
        ["garbage", Array.from({ length: 200 }, garbage)],
        ["queries for answers of 64 KB", [queryFor("huge", "A", opt(65_535))]],
        [
          "names that others are asked for",
          Array.from({ length: 5000 }, (_, i) => queryFor(`n${i}.bad.test`)),
        ],
      ];
      for (const [why, messages] of floods) await answeredUnder(rig, why, messages);
    }));

  test("by names that make the server silent: another's are found out, and what is under way is bounded", () =>
    withResolvers(silence, async ({ service, calm, red }) => {
      const before = openFdCount();
      const flooder = new UdpFlooder(red);
      try {
        for (let i = 0; i < 40; i++) {
          for (let j = 0; j < 100; j++) flooder.send(queryFor(`n${i}-${j}.bad.test`));
          await calm.askAround(`n${i}.good.test`, goodAddress);
          const { forwarding } = await service.stats();
          assert.ok(forwarding.lookups <= 1024, `${forwarding.lookups} lookups`);
          assert.ok(openFdCount() - before <= 1024 + 8, `${openFdCount() - before} descriptors`);
        }
        const { counters, forwarding } = await service.stats();
        assert.ok(counters.limited > 1000, `${counters.limited} were refused`);
        assert.equal(forwarding.upstreams[0]?.state, "up");
        await until("every lookup ends", async () => (await service.stats()).forwarding.lookups === 0);
      } finally {
        flooder.close();
      }
      await until("every socket is closed", () => openFdCount() === before);
    }));

  test("by 10,000 connections that trickle: they are bounded, and both sandboxes are answered", () =>
    withResolvers(silence, async ({ service, calm, red }) => {
      await calm.askAround("a.good.test", goodAddress);
      const fds = openFdCount();
      const memory = await measureMemory();
      const program = fileURLToPath(new URL("./crowd-program.js", import.meta.url));
      const crowd = red.start(process.execPath, [program, "10000"], { stdio: ["ignore", "pipe", "inherit"] });
      let opened = false;
      crowd.stdout?.once("data", () => {
        opened = true;
      });
      const neighbour = new SandboxClient(red);
      let [mostFds, before] = [0, calm.answered];
      while (!opened) {
        await calm.askAround("a.good.test", goodAddress);
        await neighbour.ask("web"); // by TCP it may have to make way itself, while so many come
        mostFds = Math.max(mostFds, openFdCount());
        assert.equal(crowd.exitCode, null);
      }
      assert.ok(calm.answered > before);
      assert.equal((await neighbour.askByTcp("web")).rcode, "NOERROR"); // beside those that trickle on
      // Its own 64, the two clients here, and a pipe to the program.
      assert.ok(mostFds - fds <= 64 + 8, `${mostFds - fds} descriptors more`);
      const grown = (await measureMemory()).external - memory.external;
      assert.ok(grown < 16 << 20, `${grown} bytes more`);
      const { counters } = await service.stats();
      assert.ok(counters.connections > 10_000);
      assert.ok(counters.connectionsCut >= 10_000 - 64, `${counters.connectionsCut} cut`);
      neighbour.close();
      crowd.kill("SIGKILL");
      await once(crowd, "exit");
      await until("every connection is ended", () => openFdCount() === fds);
    }));

  test("by lengths that lie, half messages and resets (CVE-2026-35406): nothing is left of them", () =>
    withResolvers(silence, async ({ calm, red, service }) => {
      await calm.askAround("a.good.test", goodAddress);
      const fds = openFdCount();
      const query = queryFor("web");
      const table: readonly (readonly [why: string, bytes: Buffer, answers: number, cut: boolean])[] = [
        ["32,768 lengths of 0", Buffer.concat([Buffer.alloc(65_536), framed(query)]), 1, false],
        [
          "lengths of 1",
          Buffer.concat([...Array.from({ length: 5000 }, () => Buffer.of(0, 1, 7)), framed(query)]),
          1,
          false,
        ],
        ["a length of 65,535 and no more", Buffer.of(255, 255), 0, true],
        ["a length of 4097", Buffer.of(16, 1), 0, true],
        ["a length and no more", Buffer.of(0, 40), 0, false],
        ["half a length", Buffer.of(0), 0, false],
        ["less than the length says", Buffer.concat([Buffer.of(0, 200), query]), 0, false],
        ["a query behind half of one", Buffer.concat([Buffer.of(0, 200), query, framed(query)]), 0, false],
        ["nothing", Buffer.alloc(0), 0, false],
      ];
      for (const ends of ["FIN", "RST"] as const) {
        for (const [why, bytes, answers, cut] of table) {
          const before = (await service.stats()).counters.connectionsCut;
          const client = await openTcpIn(red);
          if (ends === "FIN") client.socket.end(bytes);
          else await new Promise<void>((resolve) => client.socket.write(bytes, () => resolve()));
          if (answers > 0) assert.equal(decodeResponse((await client.take(1))[0]).rcode, "NOERROR", why);
          if (ends === "RST" && !cut) client.socket.resetAndDestroy();
          await client.closed;
          await calm.askAround("a.good.test", goodAddress);
          await until(`${why}: its descriptor is closed`, () => openFdCount() === fds);
          const after = (await service.stats()).counters.connectionsCut;
          assert.equal(after - before, cut ? 1 : 0, `${why}, ${ends}`);
        }
      }
    }));

  test("by asking for long answers and reading none, on every connection it may have", () =>
    withResolvers(silence, async ({ service, calm, red }) => {
      await calm.askAround("a.good.test", goodAddress);
      const fds = openFdCount();
      const { external } = await measureMemory();
      const asking = Buffer.concat(Array.from({ length: 500 }, () => framed(queryFor("huge"))));
      const readers = await Promise.all(
        Array.from({ length: 64 }, async () => {
          const client = await openTcpIn(red);
          client.socket.pause();
          client.socket.write(asking);
          return client;
        }),
      );
      let before = -1;
      await until("no more queries are taken", async () => {
        const { counters } = await service.stats();
        await calm.askAround("a.good.test", goodAddress);
        const stands = counters.tcpMessages === before + 1; // the calm one's
        before = counters.tcpMessages;
        return stands;
      });
      assert.ok(before < 64 * 40, `${before} of 32,000 queries were answered`);
      const grown = (await measureMemory()).external - external;
      assert.ok(grown < 64 * 256 * 1024, `${grown} bytes more`);
      const neighbour = new SandboxClient(red);
      assert.equal((await neighbour.askByTcp("web")).rcode, "NOERROR"); // one of the readers makes way
      neighbour.close();
      await Promise.all(readers.map((client) => client.close()));
      await until("every connection is ended", () => openFdCount() === fds);
    }));

  test("by half-open connections: those that wait for an answer get it, then they end", () =>
    withResolvers(silence, async ({ calm, red }) => {
      const fds = openFdCount();
      const bytes = Buffer.concat([framed(queryFor("web")), framed(queryFor("half.good.test"))]);
      let answers = 0;
      const flooders = Array.from({ length: 60 }, () => new TcpFlooder(red, bytes, () => void answers++));
      await calm.askAround("a.good.test", goodAddress);
      await until("every connection is ended", () => {
        for (const flooder of flooders) flooder.pump();
        return flooders.every(({ isOver }) => isOver);
      });
      assert.equal(answers, 120);
      await until("every descriptor is closed", () => openFdCount() === fds);
    }));

  test("by datagrams whose source is another: aliases are answered, forged ones harm nobody", () =>
    withResolvers(silence, async ({ service, calm, red }) => {
      for (const address of ["127.0.0.2", "127.200.3.4", "127.0.0.11"]) {
        assert.equal(decodeResponse(await askFrom(red, address)).rcode, "NOERROR", address);
      }
      const { counters: before } = await service.stats();
      const forge = forger(red);
      try {
        const own = resolver.port;
        // From the resolver to itself: its answer is a response, which it drops, and there it ends.
        for (let i = 0; i < 100; i++) forge("127.0.0.11", own, queryFor("web"));
        // From addresses to which there is no way, or none that an answer may take.
        for (const source of ["203.0.113.9", "255.255.255.255", "224.0.0.1", "0.0.0.0"]) {
          for (let i = 0; i < 20; i++) forge(source, 53, queryFor("web"));
        }
        for (let i = 0; i < 20; i++) forge("127.0.0.1", 0, queryFor("web"));
      } finally {
        forge.close();
      }
      await calm.askAround("a.good.test", goodAddress);
      assert.equal(decodeResponse(await askFrom(red, "127.0.0.2")).rcode, "NOERROR");
      await until("what was forged has been looked at", async () => {
        const { counters } = await service.stats();
        return counters.udpMessages - before.udpMessages >= 200 + 3;
      });
      await calm.askAround("a.good.test", goodAddress);
      const { counters: after } = await service.stats();
      // Each query to itself is two messages, and the last answer of no use to it; no more come of them.
      assert.ok(after.udpMessages - before.udpMessages <= 200 + 100 + 5, `${after.udpMessages} messages`);
      assert.ok(after.dropped - before.dropped >= 100);
    }));

  test("by as many questions in one message as a count can say", () =>
    withResolvers(silence, async ({ calm, red }) => {
      const roots = Buffer.concat(Array.from({ length: 800 }, () => question(Buffer.of(0))));
      const message = messageOf({ counts: [65_535, 65_535, 65_535, 65_535], body: roots });
      const asking = Buffer.concat(Array.from({ length: 2000 }, () => framed(message)));
      let refused = 0;
      const flooder = new TcpFlooder(red, asking, (answer) => {
        refused += (answer[3] ?? 0) & 0xf;
      });
      await until("every message is refused", async () => {
        flooder.pump();
        await calm.askAround("a.good.test", goodAddress);
        return flooder.isOver;
      });
      assert.equal(refused, 2000); // FORMERR is 1
    }));
});

/** Floods red with `messages` until the calm sandbox has asked 90 questions or more, and 500 of the flood came in between. */
async function answeredUnder(rig: ResolverRig, why: string, messages: readonly Uint8Array[]): Promise<void> {
  const { service, calm, red } = rig;
  const taken = async () => (await service.stats()).counters.udpMessages;
  const before = await taken();
  await whileFlooded(red, messages, async () => {
    await until(`the flood of ${why} is on`, async () => (await taken()) > before + 500);
    const onset = await taken();
    let rounds = 0;
    await until(`500 messages of the flood of ${why} are taken`, async () => {
      for (let i = 0; i < 30; i++) await calm.askAround(`n${rounds++ % 30}.good.test`, goodAddress);
      return (await taken()) - onset - 2 * rounds > 500; // two of each round's three questions are datagrams
    });
  });
}
