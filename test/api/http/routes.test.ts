import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { z } from "zod";
import type { WeftClient } from "../../../src/api/client/index.ts";
import { routes } from "../../../src/api/http/routes/index.ts";
import {
  Created,
  DriftItem,
  Entry,
  Event,
  Finding,
  Info,
  Network,
  NetworkConnect,
  Plan,
  PruneReport,
  RepairReport,
  Sandbox,
  SandboxCreate,
  SandboxSummary,
  Version,
  WaitResult,
} from "../../../src/api/index.ts";
import { type Call, everythingOf, fakeService, sampleEvent } from "../fake-service.ts";
import { ask, withServer } from "../http-fixture.ts";

interface Case {
  readonly operation: string;
  readonly ask: (client: WeftClient) => Promise<unknown>;
  readonly call?: Call;
  readonly answer?: z.ZodType;
}

const process = { Pid: 7, StartTicks: 123, BootId: "boot" };
const networkDefaults = {
  Driver: "bridge",
  EnableIPv4: true,
  EnableIPv6: false,
  Internal: false,
  Attachable: false,
  ConfigOnly: false,
};

const cases: readonly Case[] = [
  { operation: "ping", ask: (client) => client.ping() },
  { operation: "version", ask: (client) => client.version(), call: ["version"], answer: Version },
  { operation: "info", ask: (client) => client.info(), call: ["info"], answer: Info },
  {
    operation: "createNetwork",
    ask: (client) => client.createNetwork({ Name: "web", Labels: { a: "b" } }),
    call: ["createNetwork", { Name: "web", ...networkDefaults, Labels: { a: "b" } }],
    answer: Created,
  },
  {
    operation: "networks",
    ask: (client) => client.networks(),
    call: ["networks", {}],
    answer: Network.array(),
  },
  {
    operation: "networks",
    ask: (client) => client.networks({ label: ["a=ü&b", "c"] }),
    call: ["networks", { label: ["a=ü&b", "c"] }],
  },
  {
    operation: "network",
    ask: (client) => client.network("we/b %2F?#ü"),
    call: ["network", "we/b %2F?#ü", { verbose: false }],
    answer: Network,
  },
  {
    operation: "network",
    ask: (client) => client.network("web", { verbose: true }),
    call: ["network", "web", { verbose: true }],
  },
  {
    operation: "removeNetwork",
    ask: (client) => client.removeNetwork("web"),
    call: ["removeNetwork", "web"],
  },
  {
    operation: "pruneNetworks",
    ask: (client) => client.pruneNetworks({ until: ["1h"] }),
    call: ["pruneNetworks", { until: ["1h"] }],
    answer: PruneReport,
  },
  {
    operation: "connect",
    ask: (client) => client.connect("web", { Sandbox: "db", Aliases: ["a"], GwPriority: -3 }),
    call: ["connect", "web", { Sandbox: "db", Aliases: ["a"], GwPriority: -3 }],
  },
  {
    operation: "disconnect",
    ask: (client) => client.disconnect("web", { Sandbox: "db" }),
    call: ["disconnect", "web", { Sandbox: "db", Force: false }],
  },
  {
    operation: "createSandbox",
    ask: (client) => client.createSandbox({ Name: "db", Command: { Args: ["a"] } }, { start: true }),
    call: ["createSandbox", SandboxCreate.parse({ Name: "db", Command: { Args: ["a"] } }), { start: true }],
    answer: Created,
  },
  {
    operation: "sandboxes",
    ask: (client) => client.sandboxes({ name: ["d"] }, { all: true }),
    call: ["sandboxes", { name: ["d"] }, { all: true }],
    answer: SandboxSummary.array(),
  },
  { operation: "sandbox", ask: (client) => client.sandbox("db"), call: ["sandbox", "db"], answer: Sandbox },
  {
    operation: "removeSandbox",
    ask: (client) => client.removeSandbox("db", { force: true }),
    call: ["removeSandbox", "db", { force: true }],
  },
  { operation: "startSandbox", ask: (client) => client.startSandbox("db"), call: ["startSandbox", "db"] },
  {
    operation: "stopSandbox",
    ask: (client) => client.stopSandbox("db"),
    call: ["stopSandbox", "db", { timeout: undefined }],
  },
  {
    operation: "stopSandbox",
    ask: (client) => client.stopSandbox("db", { timeout: 0 }),
    call: ["stopSandbox", "db", { timeout: 0 }],
  },
  {
    operation: "killSandbox",
    ask: (client) => client.killSandbox("db"),
    call: ["killSandbox", "db", { signal: "SIGKILL" }],
  },
  {
    operation: "killSandbox",
    ask: (client) => client.killSandbox("db", { signal: "SIGRTMIN+3" }),
    call: ["killSandbox", "db", { signal: "SIGRTMIN+3" }],
  },
  {
    operation: "restartSandbox",
    ask: (client) => client.restartSandbox("db", { timeout: 3 }),
    call: ["restartSandbox", "db", { timeout: 3 }],
  },
  {
    operation: "waitSandbox",
    ask: (client) => client.waitSandbox("db"),
    call: ["waitSandbox", "db"],
    answer: WaitResult,
  },
  {
    operation: "enterSandbox",
    ask: (client) => client.enterSandbox("db"),
    call: ["enterSandbox", "db"],
    answer: Entry,
  },
  {
    operation: "claimProcess",
    ask: (client) => client.claimProcess("db", process),
    call: ["claimProcess", "db", process],
  },
  {
    operation: "tellExit",
    ask: (client) => client.tellExit("db", { process, status: 143 }),
    call: ["tellExit", "db", { process, status: 143 }],
  },
  {
    operation: "logs",
    ask: async (client) => {
      const chunks = await everythingOf(client.logs("db", { tail: 5, follow: true }));
      assert.deepEqual(Buffer.concat(chunks), Buffer.from("one\n\xff\0\n", "latin1"));
    },
    call: ["logs", "db", { tail: 5, follow: true }],
  },
  {
    operation: "logs",
    ask: (client) => everythingOf(client.logs("db")),
    call: ["logs", "db", { follow: false }],
  },
  { operation: "drift", ask: (client) => client.drift(), call: ["drift"], answer: DriftItem.array() },
  { operation: "repair", ask: (client) => client.repair(), call: ["repair"], answer: RepairReport },
  { operation: "doctor", ask: (client) => client.doctor(), call: ["doctor"], answer: Finding.array() },
  {
    operation: "plan",
    ask: (client) => client.plan({ Method: "DELETE", Path: "/v1/networks/web" }),
    call: ["plan", { Method: "DELETE", Path: "/v1/networks/web" }],
    answer: Plan,
  },
  {
    operation: "events",
    ask: async (client) => {
      const events = await everythingOf(client.events({ since: "7", until: "2026-11-21T17:00:00Z" }));
      assert.deepEqual(events, [sampleEvent(1), sampleEvent(2)]);
      return events;
    },
    call: ["events", { since: "7", until: "2026-11-21T17:00:00Z", filters: {} }],
    answer: Event.array(),
  },
  {
    operation: "backup",
    ask: async (client) =>
      assert.equal(Buffer.concat(await everythingOf(client.backup())).toString(), "store"),
    call: ["backup"],
  },
  {
    operation: "metrics",
    ask: async (client) => assert.equal(await client.metrics(), "# TYPE up gauge\nup 1\n"),
    call: ["metrics"],
  },
];

describe("the routes", () => {
  for (const { operation, ask, call, answer } of cases)
    it(`${operation} asks ${call === undefined ? "nobody" : JSON.stringify(call)}`, async () => {
      const { service, calls } = fakeService();
      await withServer(service, async ({ client, log }) => {
        const result = await ask(client);
        if (answer !== undefined) answer.parse(result);
        assert.deepEqual(calls, call === undefined ? [] : [call]);
        assert.deepEqual(
          log.filter(({ level }) => level === "error"),
          [],
        );
      });
    });

  it("are all tried out above", () => {
    const tried = new Set(cases.map(({ operation }) => operation));
    const others = routes.map(({ operation }) => operation).filter((operation) => !tried.has(operation));
    assert.deepEqual(others, ["openapi"]);
  });

  it("take switches in every spelling", async () => {
    const { service, calls } = fakeService();
    await withServer(service, async ({ socketPath }) => {
      for (const word of ["verbose", "verbose=", "verbose=1", "verbose=true", "verbose=0", "verbose=false"])
        assert.equal((await ask(socketPath, "GET", `/v1/networks/web?${word}`)).status, 200);
    });
    const verbose = calls.map(([, , options]) => (options as { verbose: boolean }).verbose); // network's second
    assert.deepEqual(verbose, [true, true, true, true, false, false]);
  });

  it("take `tail=all`", async () => {
    const { service, calls } = fakeService();
    await withServer(service, async ({ socketPath }) => {
      await ask(socketPath, "GET", "/v1/sandboxes/db/logs?tail=all");
      assert.deepEqual(calls, [["logs", "db", { tail: undefined, follow: false }]]);
    });
  });

  it("say what they made, and what content they send", async () => {
    const { service } = fakeService();
    await withServer(service, async ({ socketPath }) => {
      const body = JSON.stringify(NetworkConnect.parse({ Sandbox: "db" }));
      const heads: unknown[] = [];
      for (const [method, target, content] of [
        ["GET", "/v1/_ping"],
        ["POST", "/v1/networks", '{"Name":"web"}'],
        ["POST", "/v1/networks/web/connect", body],
        ["GET", "/v1/networks"],
        ["GET", "/v1/events"],
        ["GET", "/v1/store/backup"],
        ["GET", "/metrics"],
        ["HEAD", "/v1/_ping"],
        ["HEAD", "/v1/networks"],
      ] as const) {
        const { status, headers } = await ask(socketPath, method, target, content);
        heads.push(`${method} ${target}: ${status} ${headers["content-type"]}`);
      }
      assert.deepEqual(heads, [
        "GET /v1/_ping: 200 text/plain; charset=utf-8",
        "POST /v1/networks: 201 application/json",
        "POST /v1/networks/web/connect: 204 undefined",
        "GET /v1/networks: 200 application/json",
        "GET /v1/events: 200 application/x-ndjson",
        "GET /v1/store/backup: 200 application/octet-stream",
        "GET /metrics: 200 text/plain; version=0.0.4; charset=utf-8",
        "HEAD /v1/_ping: 200 text/plain; charset=utf-8",
        "HEAD /v1/networks: 200 application/json",
      ]);
    });
  });
});
