import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { TestNetns } from "../netns-fixture.ts";
import type { NameAnswer } from "./agent-protocol.ts";
import { setHostResolvConf, type TestHost, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { farAddresses, joinFarToHost, joinToHost, outsideAddresses } from "./uplink.ts";

const program = fileURLToPath(new URL("./name-server-program.js", import.meta.url));

function known(...data: readonly string[]): NameAnswer {
  return { rcode: "NOERROR", data: data.toSorted() };
}

/** Starts a name server that answers every question with one address; it ends with the namespace. */
async function nameServer(netns: TestNetns, answer: string): Promise<void> {
  const child = netns.start(process.execPath, [program, answer], { stdio: ["ignore", "pipe", "inherit"] });
  assert.ok(child.stdout);
  await once(child.stdout, "data", { signal: AbortSignal.timeout(10_000) });
}

/** A host between two neighbours that are name servers, and uses the first of them. */
const withServers = (work: (host: TestHost) => Promise<void>) =>
  withHost(work, {
    prepare: async (host) => {
      await joinToHost(host);
      await joinFarToHost(host);
      await nameServer(host.outside, "203.0.113.1");
      await nameServer(host.far, "203.0.113.2");
      await nameServer(host.netns, "203.0.113.3");
      setHostResolvConf(host, `nameserver ${outsideAddresses.ipv4}\n`);
    },
  });

suite("names outside weft's networks", () => {
  test("are asked of the host's servers, over UDP and TCP", () =>
    withServers(async (host) => {
      const network = await host.controller.createNetwork("bridge", "net");
      const sandbox = await host.controller.createSandbox("box", { endpoints: [{ network }] });
      const agent = await host.agent(sandbox);
      for (const transport of ["udp", "tcp"] as const)
        assert.deepEqual(await agent.name("www.example.org", "A", transport), known("203.0.113.1"));
    }));

  test("follow the host's resolv.conf as it changes, also to a server at the host's loopback", () =>
    withServers(async (host) => {
      const network = await host.controller.createNetwork("bridge", "net");
      const sandbox = await host.controller.createSandbox("box", { endpoints: [{ network }] });
      const agent = await host.agent(sandbox);
      assert.deepEqual(await agent.name("www.example.org"), known("203.0.113.1"));
      for (const [server, answer] of [
        [farAddresses.ipv4, "203.0.113.2"],
        ["127.0.0.1", "203.0.113.3"],
      ] as const) {
        setHostResolvConf(host, `nameserver ${server}\nsearch ${answer}.test\n`);
        await until(`names come from ${server}`, async () =>
          (await agent.name("www.example.org")).data.includes(answer),
        );
        assert.match(
          await agent.ask("read", { path: "/etc/resolv.conf" }),
          new RegExp(`^search ${answer}.test$`, "m"),
        );
      }
    }));

  test("are asked from inside the sandbox when the user named the servers", () =>
    withServers(async (host) => {
      const network = await host.controller.createNetwork("bridge", "net");
      const sandbox = await host.controller.createSandbox("box", {
        dns: [farAddresses.ipv4],
        endpoints: [{ network }],
      });
      const agent = await host.agent(sandbox);
      assert.deepEqual(await agent.name("www.example.org"), known("203.0.113.2"));
      const own = await host.controller.createSandbox("own", {
        dns: ["127.0.0.1"],
        endpoints: [{ network }],
      });
      const server = await host.run(own, [process.execPath, program, "203.0.113.4"], {
        stdout: "pipe",
        stderr: "inherit",
      });
      assert.ok(server.stdout);
      await once(server.stdout, "data", { signal: AbortSignal.timeout(10_000) });
      assert.deepEqual(await (await host.agent(own)).name("www.example.org"), known("203.0.113.4"));
    }));

  test("are nobody's for a sandbox that has no way out, until it has one", () =>
    withServers(async (host) => {
      const inner = await host.controller.createNetwork("bridge", "inner", { internal: true });
      const outer = await host.controller.createNetwork("bridge", "outer");
      const sandbox = await host.controller.createSandbox("box", { endpoints: [{ network: inner }] });
      const agent = await host.agent(sandbox);
      assert.equal((await agent.name("www.example.org")).rcode, "SERVFAIL");
      const endpoint = await sandbox.connect(outer);
      assert.deepEqual(await agent.name("www.example.org"), known("203.0.113.1"));
      await endpoint.leave();
      assert.equal((await agent.name("www2.example.org")).rcode, "SERVFAIL");
    }));
});
