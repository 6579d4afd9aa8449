import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { linksIn } from "../test-host.ts";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

const option = "com.docker.network.bridge.parent";

/** The wire that the network's bridge gets a port to; the far end, outside, has an address of its LAN, always the same. */
function addWire({ netns, outside }: TestDaemon): void {
  const far = ["name", "eth0", "address", "02:00:00:00:57:50", "netns", outside.path];
  netns.exec("ip", "link", "add", "eth2", "type", "veth", "peer", ...far);
  outside.exec("ip", "address", "add", "192.168.57.50/24", "dev", "eth0");
  outside.exec("ip", "link", "set", "eth0", "up");
}

const create = [
  ...["network", "create", "--subnet", "192.168.57.0/24", "--ip-range", "192.168.57.32/28"],
  ...["--gateway", "192.168.57.11", "--aux-address", "DefaultGatewayIPv4=192.168.57.1"],
  ...["-o", "com.docker.network.bridge.name=brnet", "-o", `${option}=eth2`, "lan"],
];

function masterOf({ netns }: TestDaemon): string | undefined {
  const [link] = JSON.parse(netns.exec("ip", "-json", "link", "show", "eth2")) as { master?: string }[]; // ip's format
  return link?.master;
}

const reaches = async (daemon: TestDaemon) =>
  (await daemon.weft("exec", "c1", "busybox", "ping", "-c", "1", "-W", "5", "192.168.57.50")).status === 0;

suite("a bridge with a parent, by the command line", () => {
  test("is planned, made, shown, kept through restarts, repaired and given back", () =>
    withDaemon(async (daemon) => {
      addWire(daemon);
      const plan = await daemon.ok("plan", ...create);
      assert.match(plan, /port.*eth2/);
      assert.equal(masterOf(daemon), undefined);

      await daemon.ok(...create);
      assert.equal(masterOf(daemon), "brnet");
      const [shown] = JSON.parse(await daemon.ok("network", "inspect", "-v", "lan")) as Record<
        string,
        unknown
      >[]; // the client's format
      assert.deepEqual(shown?.Parent, { Interface: "eth2", Origin: "adopted", MTU: 1500 });
      assert.equal(shown?.Interface, "brnet");
      await daemon.ok("run", "-d", "--name", "c1", "--network", "lan", "busybox", "sleep", "1000");
      assert.ok(await reaches(daemon));

      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await daemon.kill(signal);
        assert.equal(masterOf(daemon), "brnet");
        await daemon.start();
        assert.deepEqual(await daemon.client.drift(), []);
      }

      daemon.netns.exec("ip", "link", "set", "eth2", "nomaster");
      await until("it is a port again", () => masterOf(daemon) === "brnet");
      daemon.netns.exec("ip", "link", "delete", "eth2");
      addWire(daemon);
      await until("what came back is a port again", () => masterOf(daemon) === "brnet");
      await until("all is right", async () => (await daemon.client.drift()).length === 0);
      await until("the machine is reached again", () => reaches(daemon));

      await daemon.ok("rm", "-f", "c1");
      await daemon.ok("network", "rm", "lan");
      assert.equal(masterOf(daemon), undefined);
      const other = await daemon.weft("network", "create", "-o", `${option}=lo`, "wrong");
      assert.match(other.stderr, /loopback interface is not a valid bridge parent link/);
      daemon.netns.exec("ip", "link", "delete", "eth2");
    }));

  test("is undone by a purge, and what a daemon that was killed meanwhile began", () =>
    withDaemon(async (daemon) => {
      addWire(daemon);
      // Killed at any moment of it: the record is there or not, and the port with it.
      for (const afterMs of [0, 5, 10, 20, 40]) {
        const making = daemon.weft(...create);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        await daemon.kill();
        await making;
        await daemon.start();
        const names = (await daemon.client.networks()).map(({ Name }) => Name);
        assert.equal(masterOf(daemon), names.includes("lan") ? "brnet" : undefined);
        assert.deepEqual(await daemon.client.drift(), []);
        if (names.includes("lan")) await daemon.ok("network", "rm", "lan");
      }
      await daemon.ok(...create);
      await daemon.ok("down", "--purge", ...daemon.folders, "--netns", daemon.netns.path);
      await daemon.kill();
      assert.equal(masterOf(daemon), undefined);
      assert.deepEqual(linksIn(daemon.netns), ["eth2", "lo"]);
      daemon.netns.exec("ip", "link", "delete", "eth2");
      await daemon.start();
    }));
});
