import assert from "node:assert/strict";
import { test } from "node:test";
import { withDockerd } from "../peers/dockerd.ts";
import { changedRules, foreignRules } from "../peers/firewalls.ts";
import { runProgram } from "../peers/programs.ts";
import { addressesOf } from "./sandbox-addresses.ts";
import { linksIn, withHost } from "./test-host.ts";
import { until } from "./until.ts";
import { hostAddresses, joinToHost, outsideAddresses } from "./uplink.ts";

/** Weft's rule in Docker's chain, as iptables shows it. */
const ownRule = /^\+ ip6? filter: -A FORWARD -m mark --mark 0x1000000\/0x1000000 -j ACCEPT$/;

test("Docker's daemon and weft serve one host side by side, and neither is in the other's way", () =>
  withHost(
    async (host) => {
      await joinToHost(host);
      const { controller, netns } = host;
      const network = await controller.createNetwork("bridge", "net", { ipv6: true });
      const endpoints = [{ network }];
      const web = await controller.createSandbox("web", { ports: ["8080:7777"], endpoints });
      const [box, outside] = [
        await host.agent(await controller.createSandbox("box", { endpoints })),
        await host.agent(host.outside),
      ];
      await host.agent(web);
      const wefts = async () => {
        await outside.reach(hostAddresses.ipv4, "tcp", 8080);
        await outside.reach(hostAddresses.ipv6, "tcp", 8080);
        assert.equal(await box.reach(outsideAddresses.ipv4), hostAddresses.ipv4);
        for (const address of Object.values(await addressesOf(web))) await box.reach(address);
      };
      await wefts();
      await withDockerd(netns.path, { "userland-proxy": false }, async ({ engine }) => {
        const served = { "80/tcp": "8090" };
        const command = ["sh", "-c", "echo docker > /tmp/index.html; exec httpd -f -h /tmp"];
        const container = await engine.run({ name: "nginx", ports: served, command });
        const own = await engine.createNetwork({ name: "own", subnet: "10.77.0.0/24" });
        assert.ok(own);
        const dockers = async () => {
          const fetch = () =>
            runProgram(host.outside.path, "busybox", ["wget", "-qO-", `http://${hostAddresses.ipv4}:8090/`]);
          await until(
            "Docker's container answers",
            async () => (await fetch().catch(() => "")) === "docker\n",
          );
          const ping = ["ping", "-c", "1", "-W", "5", outsideAddresses.ipv4];
          assert.match(await engine.exec(container, ...ping), /1 packets received/);
        };
        await until("weft's rule is in Docker's chain", () =>
          netns.exec("iptables", "-S", "FORWARD").includes("0x1000000"),
        );
        await wefts();
        await dockers();
        // Neither network leads into the other.
        const address = await engine.address(container, "bridge");
        assert.notEqual(await box.unreached(address, "tcp", 80), undefined);
        const { ipv4 } = await addressesOf(web);
        await assert.rejects(engine.exec(container, "nc", "-w", "2", ipv4, "7777"));

        // Of Docker's rules nothing changes while weft works but its one line a family.
        const before = (await foreignRules(netns.path)).filter((line) => !line.includes("0x1000000"));
        const second = await controller.createNetwork("bridge", "second");
        const more = await controller.createSandbox("more", {
          ports: ["8081:80"],
          endpoints: [{ network: second }],
        });
        await more.delete();
        await second.delete();
        await controller.idle();
        const changed = changedRules(before, await foreignRules(netns.path));
        assert.ok(changed.length > 0);
        for (const line of changed) assert.match(line, ownRule);

        // Docker's rules are flushed with weft's: each brings its own back, weft at once.
        const { repairs } = controller.repairs;
        netns.exec("nft", "flush", "table", "inet", "weft");
        await until("weft puts its own right", () => controller.repairs.repairs > repairs);
        await wefts();
        await dockers();
      });
      await wefts();
      await controller.purge();
      assert.doesNotMatch(netns.exec("iptables-save"), /0x1000000/);
      // What Docker leaves behind.
      netns.exec("nft", "flush", "ruleset");
      for (const link of linksIn(netns))
        if (/^(docker0|br-)/.test(link)) netns.exec("ip", "link", "delete", link);
    },
    { selfRepair: true },
  ));
