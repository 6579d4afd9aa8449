import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { isWeftError } from "../../src/core/index.ts";
import { DnsService, type DnsServiceEvent } from "../../src/dns/index.ts";
import type { AskOrder } from "./asking-worker.ts";
import { boundPair, openFdCount, openSockets } from "./bound-sockets.ts";
import { framed, TcpClient, UdpClient } from "./clients.ts";
import { mutated } from "./mutation.ts";
import { addresses, dataOf, decodeResponse, idOf, queryFor, seeded } from "./samples.ts";

const [sandbox, other, endpoint] = [idOf(101), idOf(102), idOf(11)];
const net = { id: idOf(1), name: "net" };

/** Runs `use` with a service, and checks that it leaves no descriptor behind. */
async function withService(use: (service: DnsService) => Promise<void>): Promise<void> {
  const before = openFdCount();
  const service = await DnsService.start();
  try {
    await use(service);
  } finally {
    await service.close();
  }
  assert.equal(openFdCount(), before);
}

test("names come and go for the sandboxes that see them", async () => {
  await withService(async (service) => {
    const sockets = boundPair();
    service.view(sandbox, [net]);
    await service.serve(sandbox, sockets.fds);
    const client = new UdpClient(sockets.udpPort);
    const ask = async (name: string) => decodeResponse(await client.ask(queryFor(name)));
    assert.equal((await ask("web")).rcode, "NXDOMAIN");
    service.publish(net.id, endpoint, { names: ["web"], addresses: addresses("10.0.0.1") });
    await service.flush();
    assert.deepEqual(dataOf(await ask("web.net")), ["10.0.0.1"]);
    const tcp = await TcpClient.open(sockets.tcpPort);
    tcp.socket.write(framed(queryFor("web")));
    assert.deepEqual(dataOf(decodeResponse((await tcp.take(1))[0])), ["10.0.0.1"]);
    service.view(sandbox, []);
    await service.flush();
    assert.equal((await ask("web")).rcode, "NXDOMAIN");
    service.view(sandbox, [net]);
    service.withdraw(net.id, endpoint);
    await service.flush();
    assert.equal((await ask("web")).rcode, "NXDOMAIN");
    const { sandboxes, endpoints, counters } = await service.stats();
    assert.deepEqual([sandboxes, endpoints], [1, 0]);
    assert.deepEqual([counters.udpMessages, counters.tcpMessages], [4, 1]);
    assert.deepEqual([counters.replies[0], counters.replies[3]], [2, 3]);
    await Promise.all([client.close(), tcp.close()]);
  });
});

test("what is told in one turn takes effect in its order, and a flush is for all before it", async () => {
  await withService(async (service) => {
    const sockets = boundPair();
    const publish = (address: string) =>
      service.publish(net.id, endpoint, { names: ["web"], addresses: addresses(address) });
    publish("10.0.0.1");
    const first = service.flush();
    service.view(sandbox, [net]);
    publish("10.0.0.2");
    const served = service.serve(sandbox, sockets.fds);
    service.withdraw(net.id, endpoint);
    publish("10.0.0.3");
    await Promise.all([first, served, service.flush()]);
    const client = new UdpClient(sockets.udpPort);
    assert.deepEqual(dataOf(decodeResponse(await client.ask(queryFor("web")))), ["10.0.0.3"]);
    await client.close();
  });
});

test("a flush is answered by a service that is closed in the same turn", async () => {
  const service = await DnsService.start();
  service.view(sandbox, [net]);
  const [flushed, closed] = [service.flush(), service.close()];
  await Promise.all([flushed, closed]);
  await assert.rejects(service.flush(), (error) => isWeftError(error, "CONTROLLER_CLOSED"));
});

test("an answer does not wait for this thread", async () => {
  await withService(async (service) => {
    const sockets = boundPair();
    await service.serve(sandbox, sockets.fds);
    const asker = new Worker(new URL("./asking-worker.js", import.meta.url), { execArgv: [] });
    await once(asker, "message");
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const order: AskOrder = { port: sockets.udpPort, query: queryFor("web"), answered };
    const ended = once(asker, "exit");
    asker.postMessage(order);
    assert.notEqual(Atomics.wait(answered, 0, 0, 20_000), "timed-out"); // this thread stands still meanwhile
    assert.equal(answered[0], queryFor("web").length);
    await ended;
  });
});

test("one sandbox does not see another's networks, and its end closes its sockets alone", async () => {
  await withService(async (service) => {
    const [mine, theirs] = [boundPair(), boundPair()];
    service.publish(net.id, endpoint, { names: ["web"], addresses: addresses("10.0.0.1") });
    service.view(sandbox, [net]);
    await Promise.all([service.serve(sandbox, mine.fds), service.serve(other, theirs.fds)]);
    const [a, b] = [new UdpClient(mine.udpPort), new UdpClient(theirs.udpPort)];
    assert.equal(decodeResponse(await a.ask(queryFor("web"))).rcode, "NOERROR");
    assert.equal(decodeResponse(await b.ask(queryFor("web"))).rcode, "NXDOMAIN");
    const before = openSockets().length;
    await service.stop(sandbox);
    assert.equal(openSockets().length, before - 2);
    await service.stop(sandbox);
    assert.equal(decodeResponse(await b.ask(queryFor("web"))).rcode, "NXDOMAIN");
    await Promise.all([a.close(), b.close()]);
  });
});

test("a sandbox is served once at a time, and again after it was stopped", async () => {
  await withService(async (service) => {
    const [first, second, third] = [boundPair(), boundPair(), boundPair()];
    const before = openSockets().length;
    await service.serve(sandbox, first.fds);
    await assert.rejects(service.serve(sandbox, second.fds), (e) => isWeftError(e, "SANDBOX_EXISTS"));
    assert.equal(openSockets().length, before - 2);
    const stopped = service.stop(sandbox);
    await service.serve(sandbox, third.fds);
    await stopped;
    const client = new UdpClient(third.udpPort);
    assert.equal(decodeResponse(await client.ask(queryFor("web"))).rcode, "NXDOMAIN");
    await client.close();
  });
});

test("what cannot be served is told, and can be served then", async () => {
  await withService(async (service) => {
    const sockets = boundPair();
    closeSync(sockets.fds.udpFd);
    await assert.rejects(service.serve(sandbox, sockets.fds), (e) => isWeftError(e, "KERNEL"));
    await service.serve(sandbox, boundPair().fds);
  });
});

test("closing ends what is served and refuses what comes after", async () => {
  const before = openFdCount();
  const service = await DnsService.start();
  await service.serve(sandbox, boundPair().fds);
  const flushed = service.flush();
  await Promise.all([service.close(), service.close(), flushed]);
  const closed = (error: unknown) => isWeftError(error, "CONTROLLER_CLOSED");
  await assert.rejects(service.serve(other, boundPair().fds), closed);
  await assert.rejects(service.flush(), closed);
  assert.throws(() => service.withdraw(net.id, endpoint), closed);
  await service.close();
  assert.equal(openFdCount(), before);
});

test("a crash of the worker is told, fails what was asked, and leaves no descriptor", async () => {
  for (const begins of [false, true]) {
    const before = openFdCount();
    const service = await DnsService.start({ worker: new URL("./crashing-worker.js", import.meta.url) });
    if (begins) service.withdraw(net.id, endpoint);
    const events: DnsServiceEvent[] = [];
    service.events.subscribe((event) => events.push(event));
    const crashed = (error: unknown) => isWeftError(error, "INTERNAL") && /test crash/.test(error.message);
    await assert.rejects(service.serve(sandbox, boundPair().fds), crashed);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["crashed"],
    );
    assert.throws(() => service.withdraw(net.id, endpoint), crashed);
    await assert.rejects(service.serve(other, boundPair().fds), crashed);
    await service.close();
    assert.equal(openFdCount(), before, begins ? "begun" : "not begun");
  }
});

test("a worker that does not start is told", async () => {
  const worker = new URL("./no-such-worker.js", import.meta.url);
  await assert.rejects(DnsService.start({ worker }), (error) => isWeftError(error, "INTERNAL"));
});

test("a service keeps the process alive while something is awaited, and not by serving", async () => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    const { DnsService } = await import(${url("../../src/dns/index.js")});
    const { boundPair } = await import(${url("./bound-sockets.js")});
    const service = await DnsService.start();
    await service.serve("a".repeat(64), boundPair().fds);
    await service.flush();
    console.log("end of program");`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { timeout: 30_000 });
  assert.equal(stdout, "end of program\n");
});

test("20,000 damaged messages over both transports leave the service answering", async () => {
  await withService(async (service) => {
    const sockets = boundPair();
    service.view(sandbox, [net]);
    service.publish(net.id, endpoint, { names: ["web"], addresses: addresses("10.0.0.1") });
    await service.serve(sandbox, sockets.fds);
    const random = seeded(99);
    const udp = new UdpClient(sockets.udpPort);
    for (let i = 0; i < 200; i++) {
      await Promise.all(Array.from({ length: 90 }, () => udp.send(mutated(random))));
    }
    for (let i = 0; i < 100; i++) {
      const tcp = await TcpClient.open(sockets.tcpPort);
      tcp.socket.end(Buffer.concat(Array.from({ length: 20 }, () => framed(mutated(random)))));
      await tcp.closed;
    }
    const question = queryFor("web", "A", { id: 0xbeef });
    const reply = decodeResponse(await udp.askThroughNoise(question));
    assert.deepEqual(dataOf(reply), ["10.0.0.1"]);
    const { counters } = await service.stats();
    assert.equal(counters.tcpMessages, 2000);
    assert.equal(counters.failures, 0);
    await udp.close();
  });
});
