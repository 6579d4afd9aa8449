import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseAddress, reverseName } from "../../src/core/index.ts";
import type { NameAnswer } from "./agent-protocol.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { setHostResolvConf, type TestHost, withHost } from "./test-host.ts";

const unknown: NameAnswer = { rcode: "NXDOMAIN", data: [] };
/** The answer for a name that somebody else might know, when nobody else can be asked. */
const unanswered: NameAnswer = { rcode: "SERVFAIL", data: [] };

function known(...data: readonly string[]): NameAnswer {
  return { rcode: "NOERROR", data: data.toSorted() };
}

/** A network `blue` with `web`, which has all the names that one can have, and `client`. */
async function webAndClient({ controller }: TestHost) {
  const network = await controller.createNetwork("bridge", "blue", { ipv6: true });
  const web = await controller.createSandbox("web", {
    hostname: "www",
    endpoints: [{ network, name: "web-endpoint", aliases: ["shop", "Store"] }],
  });
  const client = await controller.createSandbox("client", { endpoints: [{ network }] });
  return { network, web, client };
}

/** A host that has nobody else to ask. */
const alone = (work: (host: TestHost) => Promise<void>) =>
  withHost(work, { prepare: async (host) => setHostResolvConf(host, "search example.test\n") });

suite("names in sandboxes", () => {
  test("a container is found by name, alias, short id and host name, over UDP and TCP", () =>
    alone(async (host) => {
      const { web, client } = await webAndClient(host);
      const agent = await host.agent(client);
      const { ipv4, ipv6 } = await addressesOf(web);
      for (const name of ["web", "web-endpoint", "shop", "store", "STORE", web.id.slice(0, 12), "www"]) {
        for (const transport of ["udp", "tcp"] as const) {
          assert.deepEqual(await agent.name(name, "A", transport), known(ipv4), `${name} ${transport}`);
          assert.deepEqual(await agent.name(name, "AAAA", transport), known(ipv6), `${name} ${transport}`);
        }
      }
      for (const transport of ["udp", "tcp"] as const) {
        assert.deepEqual(await agent.name("web.blue", "A", transport), known(ipv4));
        assert.deepEqual(await agent.name("nobody.blue", "A", transport), unknown);
        assert.deepEqual(await agent.name("nobody", "A", transport), unknown);
      }
    }));

  test("an address leads back to its container's name", () =>
    alone(async (host) => {
      const { web, client } = await webAndClient(host);
      const agent = await host.agent(client);
      const { ipv4, ipv6 } = await addressesOf(web);
      for (const address of [ipv4, ipv6]) {
        const name = reverseName(parseAddress(address));
        for (const transport of ["udp", "tcp"] as const) {
          const { rcode, data } = await agent.name(name, "PTR", transport);
          assert.equal(rcode, "NOERROR");
          assert.ok(data.includes("web.blue"), `${address}: ${data.join(" ")}`);
        }
      }
    }));

  test("three containers find and reach each other by name, as programs look names up", () =>
    alone(async (host) => {
      const network = await host.controller.createNetwork("bridge", "blue", { ipv6: true });
      const sandboxes = await Promise.all(
        ["one", "two", "three"].map((name) =>
          host.controller.createSandbox(name, { endpoints: [{ network, aliases: ["all"] }] }),
        ),
      );
      const addresses = await Promise.all(sandboxes.map((sandbox) => addressesOf(sandbox)));
      const everybody = addresses.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).toSorted();
      const agents = await Promise.all(sandboxes.map((sandbox) => host.agent(sandbox)));
      for (const agent of agents) {
        for (const [i, { containerId }] of sandboxes.entries()) {
          const { ipv4 = "", ipv6 = "" } = addresses[i] ?? {};
          assert.deepEqual(await agent.ask("lookup", { name: containerId }), [ipv4, ipv6].toSorted());
          await agent.reach(containerId);
        }
        assert.deepEqual(await agent.ask("lookup", { name: "all" }), everybody);
      }
    }));

  test("busybox fetches a page from another container by its name", () =>
    alone(async (host) => {
      const { web, client } = await webAndClient(host);
      await host.run(web, ["busybox", "httpd", "-f", "-p", "80", "-h", "/etc"]);
      const fetchPage = "until busybox wget -qO- http://shop/hostname; do sleep 0.02; done";
      assert.equal(await host.output(client, "timeout", "10", "sh", "-c", fetchPage), "www\n");
      assert.match(
        await host.output(client, "busybox", "ping", "-c", "1", "-W", "5", "web"),
        /1 packets received/,
      );
    }));

  test("a container that has left is known by none of its names, and is again when it joins anew", () =>
    alone(async (host) => {
      const { network, web, client } = await webAndClient(host);
      const agent = await host.agent(client);
      const { ipv4 } = await addressesOf(web);
      const names = ["web", "shop", "www", "web.blue", web.id.slice(0, 12)];
      const reverse = reverseName(parseAddress(ipv4));
      const endpoint = network.endpoint("web-endpoint");
      await endpoint.leave();
      for (const name of names) assert.deepEqual(await agent.name(name), unknown, name);
      assert.deepEqual(await agent.name(reverse, "PTR"), unknown);
      await endpoint.join(web);
      for (const name of names) assert.deepEqual(await agent.name(name), known(ipv4), name);
      await web.delete();
      for (const name of names) assert.deepEqual(await agent.name(name, "A", "tcp"), unknown, name);
    }));

  test("a container on another network knows none of them, until it is on both", () =>
    alone(async (host) => {
      const { network, web } = await webAndClient(host);
      const red = await host.controller.createNetwork("bridge", "red", { ipv6: true });
      const stranger = await host.controller.createSandbox("stranger", { endpoints: [{ network: red }] });
      const agent = await host.agent(stranger);
      const { ipv4 } = await addressesOf(web);
      for (const name of ["web", "shop", "www", "web.red", web.id.slice(0, 12)]) {
        assert.deepEqual(await agent.name(name), unknown, name);
        assert.deepEqual(await agent.name(name, "AAAA", "tcp"), unknown, name);
      }
      assert.deepEqual(await agent.name("web.blue"), unanswered);
      assert.equal((await agent.name(reverseName(parseAddress(ipv4)), "PTR")).rcode, "NXDOMAIN");
      const second = await stranger.connect(network);
      assert.deepEqual(await agent.name("web"), known(ipv4));
      assert.deepEqual(await agent.name("web.red"), unknown);
      await second.leave();
      assert.deepEqual(await agent.name("web"), unknown);
    }));

  test("a link is a name of one sandbox's own, for whoever has the other name now", () =>
    alone(async (host) => {
      const { network, web } = await webAndClient(host);
      const linked = await host.controller.createSandbox("linked", {
        endpoints: [{ network, links: { db: "web", later: "to-come" } }],
      });
      const [agent, other] = [await host.agent(linked), await host.agent(host.controller.sandbox("client"))];
      const { ipv4 } = await addressesOf(web);
      assert.deepEqual(await agent.name("db"), known(ipv4));
      assert.deepEqual(await agent.name("db.blue"), known(ipv4));
      assert.deepEqual(await other.name("db"), unknown);
      assert.deepEqual(await agent.name("later"), unknown);
      const late = await host.controller.createSandbox("to-come", { endpoints: [{ network }] });
      assert.deepEqual(await agent.name("later"), known((await addressesOf(late)).ipv4));
    }));

  test("a name server of the sandbox's own on port 53 starts and is asked, and weft's answers beside it", () =>
    alone(async (host) => {
      const { web, client } = await webAndClient(host);
      const program = fileURLToPath(new URL("./name-server-program.js", import.meta.url));
      const server = await host.run(web, [process.execPath, program], { stdout: "pipe", stderr: "inherit" });
      assert.ok(server.stdout);
      await once(server.stdout, "data", { signal: AbortSignal.timeout(10_000) });
      const { ipv4 } = await addressesOf(web);
      const agents = await Promise.all([web, client].map((sandbox) => host.agent(sandbox)));
      for (const agent of agents) {
        for (const transport of ["udp", "tcp"] as const) {
          const own = await agent.ask("query", { name: "any.thing", type: "A", transport, server: ipv4 });
          assert.deepEqual(own, known("203.0.113.7"));
          assert.deepEqual(await agent.name("web", "A", transport), known(ipv4));
          assert.deepEqual(await agent.name("any.thing", "A", transport), unanswered);
        }
      }
    }));

  test("a program of the sandbox's own is reached at other ports of the resolver's address", () =>
    alone(async (host) => {
      const { client } = await webAndClient(host);
      const agent = await host.agent(client);
      for (const protocol of ["tcp", "icmp"] as const) await agent.reach("127.0.0.11", protocol);
      for (const protocol of ["tcp", "udp"] as const) await agent.reach("127.0.0.1", protocol);
      assert.equal((await agent.name("web")).rcode, "NOERROR");
    }));
});
