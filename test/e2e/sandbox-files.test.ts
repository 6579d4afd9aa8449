import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import type { Agent } from "./agent.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { lines, withHost } from "./test-host.ts";

function read(agent: Agent, path: string): Promise<string> {
  return agent.ask("read", { path });
}

suite("the files of a sandbox, as a command in it sees them", () => {
  test("name its own addresses, weft's resolver and its host name, and leave the host's alone", () =>
    withHost(async (host) => {
      const files = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"];
      const before = files.map((file) => readFileSync(file, "utf8"));
      const network = await host.controller.createNetwork("bridge", "net", { ipv6: true });
      const sandbox = await host.controller.createSandbox("box", {
        hostname: "box1",
        domainName: "example.org",
        extraHosts: { printer: "192.0.2.9" },
        endpoints: [{ network }],
      });
      const { ipv4, ipv6 } = await addressesOf(sandbox);
      const hosts = lines(await host.output(sandbox, "cat", "/etc/hosts"));
      assert.deepEqual(hosts.slice(-3), [
        "192.0.2.9\tprinter",
        `${ipv4}\tbox1.example.org box1`,
        `${ipv6}\tbox1.example.org box1`,
      ]);
      assert.equal(hosts[0], "127.0.0.1\tlocalhost");
      const resolvConf = lines(await host.output(sandbox, "cat", "/etc/resolv.conf"));
      assert.deepEqual(resolvConf.slice(1), [
        "nameserver 127.0.0.11",
        "search example.test",
        "options ndots:0",
      ]);
      assert.equal(await host.output(sandbox, "cat", "/etc/hostname"), "box1\n");
      assert.equal(await host.output(sandbox, "busybox", "hostname"), "box1\n");
      assert.deepEqual(
        files.map((file) => readFileSync(file, "utf8")),
        before,
      );
    }));

  test("are what the sandbox was made with: name servers, search domains and options", () =>
    withHost(async (host) => {
      const sandbox = await host.controller.createSandbox("box", {
        dns: ["198.51.100.53", "2001:db8::53"],
        dnsSearch: ["one.example", "two.example"],
        dnsOptions: ["ndots:2", "timeout:1"],
      });
      assert.deepEqual(lines(await host.output(sandbox, "cat", "/etc/resolv.conf")).slice(1), [
        "nameserver 198.51.100.53",
        "nameserver 2001:db8::53",
        "search one.example two.example",
        "options ndots:2 timeout:1",
      ]);
    }));

  test("change in place under a running command as it joins and leaves networks", () =>
    withHost(async (host) => {
      const [first, second] = await Promise.all(
        ["first", "second"].map((name) => host.controller.createNetwork("bridge", name, { ipv6: true })),
      );
      assert.ok(first !== undefined && second !== undefined);
      const sandbox = await host.controller.createSandbox("box", { hostname: "box1" });
      const agent = await host.agent(sandbox);
      const own = async () =>
        lines(await read(agent, "/etc/hosts")).filter((line) => line.endsWith("\tbox1"));
      assert.deepEqual(await own(), []);
      assert.match(await read(agent, "/etc/resolv.conf"), /^nameserver 192\.0\.2\.53$/m);

      await sandbox.connect(first);
      const one = await addressesOf(sandbox, first);
      assert.deepEqual(await own(), [`${one.ipv4}\tbox1`, `${one.ipv6}\tbox1`]);
      assert.match(await read(agent, "/etc/resolv.conf"), /^nameserver 127\.0\.0\.11$/m);

      const endpoint = await sandbox.connect(second);
      const two = await addressesOf(sandbox, second);
      assert.deepEqual(
        await own(),
        [one.ipv4, one.ipv6, two.ipv4, two.ipv6].map((address) => `${address}\tbox1`),
      );
      assert.deepEqual((await agent.ask("lookup", { name: "box1" })).length, 4);

      await endpoint.leave();
      assert.deepEqual(await own(), [`${one.ipv4}\tbox1`, `${one.ipv6}\tbox1`]);
    }));
});
