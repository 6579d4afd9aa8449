import assert from "node:assert/strict";
import { test } from "node:test";
import { isWeftError, parseAddress } from "../../src/core/index.ts";
import { MemoryPortProxies, type PortProxy, StandingProxies } from "../../src/ports/index.ts";

function proxy(id: string): PortProxy {
  return { id, protocol: "tcp", fd: 1 << 25, target: parseAddress("10.0.0.2"), targetPort: 80 };
}

/** Proxies whose services the test can see. */
function standing() {
  const started: MemoryPortProxies[] = [];
  const refusals: Error[] = [];
  const proxies = new StandingProxies(async () => {
    const refusal = refusals.shift();
    if (refusal !== undefined) throw refusal;
    const service = new MemoryPortProxies();
    started.push(service);
    return service;
  });
  const events: string[] = [];
  proxies.events.subscribe(({ kind }) => events.push(kind));
  const served = () => [...(started.at(-1)?.served.keys() ?? [])];
  return { proxies, started, refusals, events, served };
}

test("nothing is started until there is a port to serve", async () => {
  const { proxies, started, served } = standing();
  await proxies.stop(["a"]);
  assert.equal((await proxies.stats()).ports, 0);
  assert.equal(started.length, 0);
  await proxies.serve([proxy("a"), proxy("b")]);
  await proxies.serve([proxy("c")]);
  assert.equal(started.length, 1);
  await proxies.stop(["b"]);
  assert.deepEqual(served(), ["a", "c"]);
  assert.equal((await proxies.stats()).ports, 2);
  await proxies.close();
});

test("a service that is prepared is started once, and again with a port when it could not be", async () => {
  const { proxies, started, refusals, served } = standing();
  refusals.push(new Error("no thread"));
  proxies.prepare();
  await proxies.stop([]);
  assert.equal(started.length, 0);
  proxies.prepare();
  await proxies.serve([proxy("a")]);
  proxies.prepare();
  await proxies.serve([proxy("b")]);
  assert.equal(started.length, 1);
  assert.deepEqual(served(), ["a", "b"]);
  await proxies.close();
  proxies.prepare();
});

test("after a crash another one serves what was served, without what was stopped", async () => {
  const { proxies, started, events, served } = standing();
  await proxies.serve([proxy("a"), proxy("b")]);
  await proxies.stop(["a"]);
  started[0]?.crash();
  await proxies.serve([proxy("c")]); // waits its turn
  assert.equal(started.length, 2);
  assert.deepEqual(served(), ["b", "c"]);
  assert.deepEqual(events, ["crashed"]);
  await proxies.close();
});

test("a service that cannot be started is told, and started with the next port", async () => {
  const { proxies, started, refusals, served } = standing();
  refusals.push(new Error("no thread"));
  await assert.rejects(proxies.serve([proxy("a")]), /no thread/);
  await proxies.serve([proxy("b")]);
  started[0]?.crash();
  refusals.push(new Error("no thread"));
  await proxies.stop(["x"]);
  await proxies.serve([proxy("c")]);
  assert.deepEqual(served(), ["b", "c"]);
  await proxies.close();
});

test("a refused batch is not served after a crash either", async () => {
  const { proxies, started, served } = standing();
  await proxies.serve([proxy("a")]);
  await assert.rejects(proxies.serve([proxy("b"), proxy("a")]), (error) =>
    isWeftError(error, "OBJECT_CONFLICT"),
  );
  started[0]?.crash();
  await proxies.stop([]);
  assert.deepEqual(served(), ["a"]);
  await proxies.close();
  await assert.rejects(proxies.serve([proxy("b")]), (error) => isWeftError(error, "CONTROLLER_CLOSED"));
});

test("what is asked at once is done in its order, each with an end of its own", async () => {
  const { proxies, started, served } = standing();
  const asked = await Promise.allSettled([
    proxies.serve([proxy("a")]),
    proxies.serve([proxy("b"), proxy("a")]),
    proxies.serve([proxy("c"), proxy("d")]),
    proxies.stop(["c"]),
  ]);
  assert.deepEqual(
    asked.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(served(), ["a", "d"]);
  started[0]?.crash();
  await proxies.stop([]);
  assert.equal(started.length, 2);
  assert.deepEqual(served(), ["a", "d"], "after a crash too");
  await proxies.close();
});

test("what was asked of a service that crashes before it answers is done by the next one", async () => {
  const services: CrashingProxies[] = [];
  const proxies = new StandingProxies(async () => {
    const service = new CrashingProxies(services.length === 0);
    services.push(service);
    return service;
  });
  const asked = [proxies.serve([proxy("a")]), proxies.serve([proxy("b")])];
  await services[0]?.asked;
  services[0]?.crash();
  await Promise.all(asked);
  assert.deepEqual([...(services[1]?.served.keys() ?? [])].sort(), ["a", "b"]);
  assert.equal(services.length, 2);
  await proxies.close();
});

/** One that, if it is to, answers nobody until it crashes. */
class CrashingProxies extends MemoryPortProxies {
  readonly asked: Promise<void>;
  readonly #isSilent: boolean;
  readonly #pending: ((error: Error) => void)[] = [];
  #onAsked: () => void = () => {};

  constructor(isSilent: boolean) {
    super();
    this.#isSilent = isSilent;
    this.asked = new Promise((resolve) => {
      this.#onAsked = resolve;
    });
  }

  override serve(proxies: readonly PortProxy[]): Promise<void> {
    if (!this.#isSilent || proxies.length === 0) return super.serve(proxies);
    return new Promise((_resolve, reject) => {
      this.#pending.push(reject);
      if (this.#pending.length === 2) this.#onAsked();
    });
  }

  override crash(): void {
    for (const reject of this.#pending.splice(0)) reject(new Error("it has crashed"));
    super.crash();
  }
}
