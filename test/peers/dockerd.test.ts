import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { suite, test } from "node:test";
import { until } from "../e2e/until.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { cgroupsCalled } from "./cgroups.ts";
import { Dockerd, withDockerd } from "./dockerd.ts";
import { runProgram } from "./programs.ts";

suite("Docker's daemon as a peer", { concurrency: false }, () => {
  test("runs containers that reach each other by name, in the namespace that it was given", () =>
    withNetns(1, async ([host]) => {
      await withDockerd(host.path, {}, async (dockerd) => {
        const { engine } = dockerd;
        assert.match(await engine.version(), /^\d+\.\d+/);
        await engine.createNetwork({ name: "net", subnet: "10.77.0.0/24" });
        const server = await engine.run({ name: "server", network: "net" });
        const client = await engine.run({ name: "client", network: "net" });
        assert.match(await engine.exec(client, "ping", "-c", "1", "-W", "5", "server"), /1 packets received/);
        await assert.rejects(engine.exec(client, "cat", "/nothing"), /can't open '\/nothing'/);

        const netns = await dockerd.netnsOf(server);
        const seen = await runProgram(netns, "ip", ["-4", "-brief", "address", "show", "dev", "eth0"]);
        assert.ok(seen.includes(`${await engine.address(server, "net")}/24`), seen);
        assert.match(host.exec("ip", "-brief", "link"), /docker0/);
        assert.match(host.exec("iptables", "-S", "FORWARD"), /-P FORWARD DROP/);
        await assert.rejects(engine.createNetwork({ name: "net" }), /network with name net already exists/);
      });
    }));

  test("takes the options of its configuration", () =>
    withNetns(1, async ([host]) => {
      const config = { iptables: false, "userland-proxy": false, "storage-driver": "vfs" } as const;
      await withDockerd(host.path, config, async ({ engine }) => {
        const { Driver } = await engine.api.get<{ readonly Driver: string }>("/info");
        assert.equal(Driver, "vfs");
        assert.doesNotMatch(host.exec("iptables", "-S"), /DOCKER/);
        await engine.run({ name: "server", ports: { "80/tcp": "8080" } });
        assert.deepEqual(
          processesOf(host).filter((command) => command.includes("docker-proxy")),
          [],
        );
      });
    }));

  test("publishes a port by proxies and rules", () =>
    withNetns(1, async ([host]) => {
      host.exec("ip", "link", "set", "lo", "up");
      await withDockerd(host.path, {}, async ({ engine }) => {
        await engine.run({
          name: "web",
          ports: { "80/tcp": "8080" },
          command: ["sh", "-c", "echo hello > /tmp/index.html; exec httpd -f -h /tmp"],
        });
        assert.match(host.exec("iptables", "-t", "nat", "-S"), /--dport 8080 -j DNAT/);
        assert.ok(processesOf(host).some((command) => command.includes("docker-proxy")));
        const fetch = () => runProgram(host.path, "busybox", ["wget", "-qO-", "http://127.0.0.1:8080/"]);
        await until("the web server answers", async () => (await fetch().catch(() => "")) === "hello\n");
      });
    }));

  test("leaves nothing when it is stopped while containers run", () =>
    withNetns(1, async ([host]) => {
      const before = machine();
      const dockerd = await Dockerd.start(host.path);
      await dockerd.importBusybox();
      const { engine } = dockerd;
      await engine.run({ name: "one", ports: { "80/tcp": "8080" } });
      assert.notDeepEqual(machine(), before);
      await dockerd.stop();
      await dockerd.stop();
      assert.deepEqual(machine(), before);
      assert.deepEqual(processesOf(host), []);
      await until("its veth pairs are gone", () => !host.exec("ip", "-brief", "link").includes("veth"));
    }));

  test("leaves nothing when it does not come up, and says why", () =>
    withNetns(1, async ([host]) => {
      const before = machine();
      await assert.rejects(
        Dockerd.start(host.path, { bip: "not an address" }),
        /dockerd: it ended \(1\) before it said "API listen on": .*invalid CIDR address: not an address/s,
      );
      assert.deepEqual(machine(), before);
      assert.deepEqual(processesOf(host), []);
    }));
});

/** Where a daemon of this process could leave something: folders, control groups, mounts, and what it keeps under /etc and /opt. */
function machine() {
  const ours = `weft-dockerd-${process.pid}-`;
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(ours));
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return {
    folders,
    cgroups: folders.flatMap(cgroupsCalled),
    mounts: mounts.filter((mount) => mount.includes(ours)),
    files: ["/etc/docker", "/opt/containerd", "/var/lib/docker", "/run/docker"].map((path) =>
      existsSync(path) ? statSync(path).mtimeMs : "not there",
    ),
  };
}

/** The commands of the processes in a network namespace. */
function processesOf(host: TestNetns): string[] {
  const netns = statSync(host.path).ino;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (statSync(`/proc/${pid}/ns/net`).ino !== netns) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
      } catch {
        return []; // gone meanwhile
      }
    });
}
