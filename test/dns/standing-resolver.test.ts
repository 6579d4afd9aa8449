import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError } from "../../src/core/index.ts";
import { DnsService, StandingResolver } from "../../src/dns/index.ts";
import { boundPair, openFdCount } from "./bound-sockets.ts";
import { UdpClient } from "./clients.ts";
import { servers } from "./forward/manual-sockets.ts";
import { ManualTimers } from "./manual-timers.ts";
import { addresses, dataOf, decodeResponse, idOf, queryFor } from "./samples.ts";

const [sandbox, other, endpoint, gone] = [idOf(101), idOf(102), idOf(11), idOf(12)];
const net = { id: idOf(1), name: "net" };
const fragile = new URL("./fragile-worker.js", import.meta.url);

/** A resolver whose services the test can see and crash, and whose time it moves. */
class Rig {
  readonly timers = new ManualTimers();
  readonly services: DnsService[] = [];
  readonly events: string[] = [];
  readonly resolver: StandingResolver;
  /** The ports that each sandbox was served on last. */
  readonly ports = new Map<string, number>();
  /** What beginning a service throws, while it is set. */
  refusal: Error | undefined;

  constructor(worker = fragile) {
    this.resolver = new StandingResolver({
      begin: () => {
        if (this.refusal !== undefined) throw this.refusal;
        const service = DnsService.begin({ worker });
        this.services.push(service);
        return service;
      },
      startTimer: this.timers.start,
      now: this.timers.now,
    });
    this.resolver.events.subscribe(({ error }) => this.events.push(error.message));
  }

  /** Sockets for `who`, other ones each time. */
  open(who: string) {
    return () => {
      const pair = boundPair();
      this.ports.set(who, pair.udpPort);
      return pair.fds;
    };
  }

  /** Ends the thread that serves. */
  async crash(): Promise<void> {
    const service = this.services.at(-1);
    assert.ok(service);
    await service.ready;
    const crashed = this.crashed();
    service.flushCache();
    await crashed;
  }

  /** Resolves at the next crash. */
  crashed(): Promise<void> {
    const awake = setInterval(() => {}, 1000); // the thread alone does not keep the process alive
    return new Promise((resolve) => {
      const unsubscribe = this.resolver.events.subscribe(() => {
        clearInterval(awake);
        unsubscribe();
        resolve();
      });
    });
  }

  async ask(who: string, name: string) {
    const client = new UdpClient(this.ports.get(who) ?? 0);
    const reply = decodeResponse(await client.ask(queryFor(name)));
    await client.close();
    return reply;
  }
}

/** Runs `use` with a resolver, and checks that it leaves no descriptor behind. */
async function withResolver(use: (rig: Rig) => Promise<void>, worker?: URL): Promise<void> {
  const before = openFdCount();
  const rig = new Rig(worker);
  try {
    await use(rig);
  } finally {
    await rig.resolver.close();
  }
  assert.equal(openFdCount(), before);
}

const webAt = (...texts: readonly string[]) => ({ names: ["web"], addresses: addresses(...texts) });

test("after a crash another thread answers the same names to the same sandboxes", () =>
  withResolver(async (rig) => {
    const { resolver, timers } = rig;
    resolver.publish(net.id, endpoint, webAt("10.0.0.9"));
    resolver.publish(net.id, endpoint, webAt("10.0.0.1"));
    resolver.publish(net.id, gone, { names: ["gone"], addresses: addresses("10.0.0.2") });
    resolver.withdraw(net.id, gone);
    resolver.view(sandbox, [net], [{ alias: "db", network: net.id, name: "web" }]);
    resolver.forward(sandbox, { servers: servers("10.0.0.53") });
    for (const id of [sandbox, other, gone]) await resolver.serve(id, rig.open(id));
    resolver.view(gone, [net]);
    await resolver.stop(gone);
    const before = openFdCount();
    await rig.crash();
    timers.advance(0);
    const { sandboxes, endpoints, forwarding } = await resolver.stats();
    assert.deepEqual([sandboxes, endpoints, forwarding.upstreams.length], [2, 1, 1]);
    for (const name of ["web", "web.net", "db"]) {
      assert.deepEqual(dataOf(await rig.ask(sandbox, name)), ["10.0.0.1"], name);
    }
    assert.equal((await rig.ask(other, "web")).rcode, "NXDOMAIN");
    assert.equal(openFdCount(), before);
    assert.match(rig.events.join(), /^the DNS worker ended unasked: worker test crash$/);
    await resolver.stop(sandbox);
    await resolver.serve(sandbox, rig.open(sandbox));
  }));

test("what is told and asked while none runs is done by the next one", () =>
  withResolver(async (rig) => {
    const { resolver, timers } = rig;
    await resolver.flush();
    rig.services[0]?.flushCache(); // it dies of that, with what it is told from now on
    resolver.view(sandbox, [net]);
    resolver.publish(net.id, endpoint, webAt("10.0.0.1"));
    const lost = Promise.all([resolver.flush(), resolver.serve(sandbox, rig.open(sandbox))]);
    await rig.crashed();
    resolver.publish(net.id, endpoint, webAt("10.0.0.2"));
    const late = Promise.all([resolver.flush(), resolver.serve(other, rig.open(other))]);
    assert.equal(rig.services.length, 1);
    timers.advance(0);
    await Promise.all([lost, late]);
    assert.equal(rig.services.length, 2);
    assert.deepEqual(dataOf(await rig.ask(sandbox, "web")), ["10.0.0.2"]);
    assert.equal((await rig.ask(other, "web")).rcode, "NXDOMAIN");
  }));

test("crashes in a row are made good later and later, until one has lived for a minute", () =>
  withResolver(async (rig) => {
    const { timers, services } = rig;
    const waits: number[] = [];
    for (let i = 0; i < 9; i++) {
      if (i === 8) timers.advance(60_000);
      await rig.crash();
      const [begun, since] = [services.length, timers.now()];
      timers.advance(0);
      while (services.length === begun) timers.advance(100);
      waits.push(timers.now() - since);
    }
    assert.deepEqual(waits, [0, 200, 400, 800, 1600, 3200, 6400, 10_000, 0]);
    assert.equal(timers.running, 0);
  }));

test("a call that ends two threads is told so", () =>
  withResolver(
    async (rig) => {
      const call = assert.rejects(
        rig.resolver.serve(sandbox, rig.open(sandbox)),
        (error) => isWeftError(error, "INTERNAL") && /test crash/.test(error.message),
      );
      await rig.crashed();
      rig.timers.advance(0);
      await call;
      assert.deepEqual([rig.services.length, rig.events.length], [2, 2]);
    },
    new URL("./crashing-worker.js", import.meta.url),
  ));

test("a thread that cannot be started is told to those who wait, and tried again", () =>
  withResolver(async (rig) => {
    const { resolver, timers } = rig;
    timers.advance(60_000);
    await rig.crash();
    rig.refusal = new Error("no thread");
    const refused = assert.rejects(resolver.flush(), /no thread/);
    timers.advance(0);
    await refused;
    timers.advance(199);
    assert.deepEqual(rig.events.slice(1), ["no thread"]);
    timers.advance(1);
    assert.deepEqual(rig.events.slice(1), ["no thread", "no thread"]);
    rig.refusal = undefined;
    const flushed = resolver.flush();
    timers.advance(400);
    await flushed;
    assert.equal(rig.services.length, 2);
  }));

test("a program that is no worker is tried again as well", () =>
  withResolver(
    async (rig) => {
      const flushed = assert.rejects(rig.resolver.flush(), (error) => isWeftError(error, "INTERNAL"));
      await rig.crashed();
      rig.timers.advance(0);
      await flushed;
      assert.equal(rig.services.length, 2);
    },
    new URL("./no-such-worker.js", import.meta.url),
  ));

test("a sandbox whose sockets cannot be opened again is told and tried again, and the others are served", () =>
  withResolver(async (rig) => {
    const { resolver, timers } = rig;
    let opens = true;
    await resolver.serve(other, () => {
      if (!opens) throw new Error("no descriptor left");
      return rig.open(other)();
    });
    await resolver.serve(sandbox, rig.open(sandbox));
    opens = false;
    for (let crashes = 1; crashes <= 2; crashes++) {
      await rig.crash();
      timers.advance(200);
      assert.equal((await resolver.stats()).sandboxes, 1);
    }
    assert.equal((await rig.ask(sandbox, "web")).rcode, "NXDOMAIN");
    const told = rig.events.filter((message) => message === "no descriptor left");
    assert.deepEqual([told.length, timers.running], [2, 1]);
    timers.advance(10_000);
    assert.equal((await resolver.stats()).sandboxes, 1);
    assert.deepEqual([rig.events.length, timers.running], [4, 1], "told once a crash");
    opens = true;
    timers.advance(10_000);
    assert.equal((await resolver.stats()).sandboxes, 2);
    assert.equal((await rig.ask(other, "web")).rcode, "NXDOMAIN");
    assert.equal(timers.running, 0);
    opens = false;
    await rig.crash();
    timers.advance(400);
    await resolver.stop(other);
    assert.equal(timers.running, 0);
  }));

test("closing while none runs rejects what waits, and starts none", async () => {
  const before = openFdCount();
  const rig = new Rig();
  await rig.resolver.serve(sandbox, rig.open(sandbox));
  await rig.crash();
  const closed = (error: unknown) => isWeftError(error, "CONTROLLER_CLOSED");
  const waiting = assert.rejects(rig.resolver.flush(), closed);
  await rig.resolver.close();
  await waiting;
  rig.timers.advance(10_000);
  assert.deepEqual([rig.services.length, rig.timers.running], [1, 0]);
  await assert.rejects(rig.resolver.stats(), closed);
  assert.throws(() => rig.resolver.withdraw(net.id, endpoint), closed);
  await rig.resolver.close();
  assert.equal(openFdCount(), before);
});
