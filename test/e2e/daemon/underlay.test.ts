import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { needsKernel } from "../../needs-kernel.ts";
import { joinToSwitch, linkState, outsideAddresses, uplink } from "../underlay/wire.ts";
import { until } from "../until.ts";
import { type TestDaemon, withDaemon } from "./test-daemon.ts";

needsKernel("macvlan");

const sleep = ["busybox", "sleep", "1000000"];
const subnet = [
  "--subnet",
  "192.0.2.0/24",
  "--ip-range",
  "192.0.2.128/25",
  "--gateway",
  outsideAddresses.ipv4,
];

const onSwitch = (work: (daemon: TestDaemon) => Promise<void>) =>
  withDaemon(work, { started: false, prepare: joinToSwitch });

async function inspected(daemon: TestDaemon, name: string) {
  const [network] = JSON.parse(await daemon.ok("network", "inspect", name)) as readonly {
    Parent?: unknown;
  }[]; // as docs/openapi.json says
  return network?.Parent;
}

suite("macvlan by the daemon and the command line", () => {
  test("a network is planned, made, inspected, used, and there again after a kill", () =>
    onSwitch(async (daemon) => {
      await daemon.start();
      const create = ["network", "create", "-d", "macvlan", ...subnet, "-o", `parent=${uplink}`, "lan"];
      await daemon.ok("plan", ...create);
      assert.equal(await daemon.ok("network", "ls", "--filter", "driver=macvlan", "-q"), "");
      await daemon.ok(...create);
      assert.deepEqual(await inspected(daemon, "lan"), { Interface: uplink, Origin: "adopted", MTU: 1500 });
      const run = ["run", "-d", "--name", "box", "--network", "lan", "--ip", "192.0.2.130", ...sleep];
      assert.match(await daemon.ok("plan", ...run), /create +link .* eth0/);
      await daemon.ok(...run);
      await daemon.ok("exec", "box", "busybox", "ping", "-c", "1", "-W", "5", outsideAddresses.ipv4);
      assert.match(await daemon.ok("exec", "box", "ip", "route"), /^default via 192\.0\.2\.2 dev eth0/);
      await daemon.kill();
      await daemon.start();
      assert.equal(await daemon.ok("drift"), "");
      await daemon.ok("exec", "box", "busybox", "ping", "-c", "1", "-W", "5", outsideAddresses.ipv4);
      const second = await daemon.weft(
        "network",
        "create",
        "-d",
        "ipvlan",
        "-o",
        `parent=${uplink}`,
        "second",
      );
      assert.equal(second.status, 1);
      assert.match(
        second.stderr,
        /network lan is already using parent interface up0|this kernel lacks ipvlan/,
      );
      await daemon.ok("rm", "-f", "box");
      await daemon.ok("network", "rm", "lan");
      assert.equal(linkState(daemon.netns, uplink).promiscuity, 0);
    }));

  test("a parent's new MTU is shown as drift until it is mended, and one that is gone by its name", () =>
    onSwitch(async (daemon) => {
      const config = join(daemon.folder, "daemon.json");
      writeFileSync(config, JSON.stringify({ "weft-self-repair": false }));
      await daemon.start("--config", config);
      await daemon.ok("network", "create", "-d", "macvlan", ...subnet, "-o", `parent=${uplink}`, "lan");
      await daemon.ok("run", "-d", "--name", "box", "--network", "lan", ...sleep);
      daemon.netns.exec("ip", "link", "set", uplink, "mtu", "4000");
      const { status, stdout } = await daemon.weft("drift");
      assert.equal(status, 1);
      assert.match(stdout, /changed +link .* eth0/);
      assert.match(await daemon.ok("drift", "--repair"), /mended link .* eth0/);
      assert.match(await daemon.ok("exec", "box", "ip", "link", "show", "dev", "eth0"), /mtu 4000/);
      assert.deepEqual(await inspected(daemon, "lan"), { Interface: uplink, Origin: "adopted", MTU: 4000 });
      daemon.netns.exec("ip", "link", "delete", uplink);
      assert.match((await daemon.weft("drift")).stdout, /interface gone +link host up0 +for network lan/);
      daemon.outside.exec("ip", "link", "delete", "sw");
      await joinToSwitch(daemon);
      await daemon.ok("drift", "--repair");
      assert.equal(await daemon.ok("drift"), "");
      await until("the wire is one again", async () => {
        const ping = ["exec", "box", "busybox", "ping", "-c", "1", "-W", "1", outsideAddresses.ipv4];
        return (await daemon.weft(...ping)).status === 0;
      });
      await daemon.ok("rm", "-f", "box");
    }));
});
