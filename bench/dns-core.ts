/**
 * Queries per second: of the resolver alone, in this thread; over UDP on the loopback interface,
 * answered by the service's thread and asked by this one. dns-packet's decoding and encoding of the
 * same query and answer is the peer in the first part, an echo by node:dgram in the second.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { decode, encode } from "dns-packet";
import { type Id, parseAddress, parseId } from "../src/core/index.ts";
import { createResponder, createView, DnsService, NameTable, newCounters } from "../src/dns/index.ts";
import { boundPair } from "../test/dns/bound-sockets.ts";

const seconds = 3;
const inFlight = 200;
const network = { id: id(1), name: "bench" };

function id(n: number): Id {
  return parseId(n.toString(16).padStart(64, "0"));
}

function query(name: string, type: "A" | "AAAA" | "PTR" | "MX" = "A"): Buffer {
  return encode({ type: "query", id: 1, flags: 0x0100, questions: [{ name, type }] });
}

/** Publishes 1,000 endpoints of one address each, and a name that ten of them share. */
function fill(target: Pick<NameTable, "publish">): void {
  for (let i = 0; i < 1000; i++) {
    const names = i < 10 ? [`c${i}`, "ten"] : [`c${i}`];
    const addresses = [parseAddress(`10.0.${i >> 8}.${i & 255}`)];
    target.publish(network.id, id(1000 + i), { names, addresses });
  }
}

function report(what: string, perSecond: number): void {
  console.log(`${what.padEnd(58)} ${Math.round(perSecond).toLocaleString("en").padStart(10)} /s`);
}

/** How often `work` runs in a second, after a warm-up. */
function rate(work: () => void): number {
  for (let i = 0; i < 50_000; i++) work();
  const start = performance.now();
  let runs = 0;
  while (performance.now() - start < seconds * 1000) {
    for (let i = 0; i < 1000; i++) work();
    runs += 1000;
  }
  return (runs * 1000) / (performance.now() - start);
}

function benchResolver(): void {
  const table = new NameTable();
  fill(table);
  const view = createView(table, [network]);
  const random = (bound: number) => Math.floor(Math.random() * bound);
  const respond = createResponder({ view: () => view, random, counters: newCounters() });
  const cases: readonly (readonly [what: string, message: Buffer])[] = [
    ["resolver: A, one address", query("c500")],
    ["resolver: A, name.network", query("c500.bench")],
    ["resolver: A, ten addresses, shuffled", query("ten")],
    ["resolver: AAAA of an IPv4 name (no data)", query("c500", "AAAA")],
    ["resolver: unknown name (NXDOMAIN)", query("nobody")],
    ["resolver: PTR", query("5.1.0.10.in-addr.arpa", "PTR")],
  ];
  for (const [what, message] of cases)
    report(
      what,
      rate(() => void respond(message, "udp")),
    );
  const message = query("c500");
  report(
    "peer: dns-packet decodes the query, encodes the answer",
    rate(() => void throughDnsPacket(message)),
  );
}

function throughDnsPacket(message: Buffer): Buffer {
  const { id: queryId, questions } = decode(message);
  const name = questions?.[0]?.name ?? "";
  const answers = [{ type: "A" as const, name, ttl: 5, data: "10.0.1.244" }];
  return encode({ type: "response", id: queryId, flags: 0x0580, questions, answers });
}

/** Keeps `inFlight` queries under way against `port`, and counts what comes back. */
async function udpRate(port: number, message: Buffer): Promise<number> {
  const client = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
  client.connect(port, "127.0.0.1");
  await once(client, "connect");
  let received = 0;
  client.on("message", () => {
    received++;
    client.send(message);
  });
  for (let i = 0; i < inFlight; i++) client.send(message);
  await passed(500);
  const before = received;
  const start = performance.now();
  await passed(seconds * 1000);
  const perSecond = ((received - before) * 1000) / (performance.now() - start);
  await closeSocket(client);
  return perSecond;
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function closeSocket(socket: Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

async function benchService(): Promise<void> {
  const service = await DnsService.start();
  const sockets = boundPair();
  fill(service);
  service.view(network.id, [network]);
  await service.serve(network.id, sockets.fds);
  await service.flush();
  report("UDP loopback: A, one address", await udpRate(sockets.udpPort, query("c500")));
  report("UDP loopback: A, ten addresses", await udpRate(sockets.udpPort, query("ten")));
  report("UDP loopback: unknown name", await udpRate(sockets.udpPort, query("nobody")));
  await service.close();
}

/** A worker that sends back what it gets: what node:dgram itself allows. */
async function benchEcho(): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url));
  const [port]: number[] = await once(worker, "message");
  report("peer: node:dgram echo in a worker", await udpRate(port ?? 0, query("c500")));
  await worker.terminate();
}

function echo(): void {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  socket.bind(0, "127.0.0.1", () => parentPort?.postMessage(socket.address().port));
}

if (isMainThread) {
  benchResolver();
  await benchEcho();
  await benchService();
} else {
  echo();
}
