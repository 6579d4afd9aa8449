import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bridgeOption } from "../../src/drivers/index.ts";
import { Controller } from "../../src/index.ts";
import { unmountPrivateFolder } from "../../src/kernel/index.ts";
import { type TestNetns, withNetns } from "../netns-fixture.ts";
import { setSysctl } from "./uplink.ts";

const card = "up2";

/** What a network with a parent changes of the host itself. */
function stateOf(host: TestNetns) {
  const [link] = JSON.parse(host.exec("ip", "-json", "link", "show", "dev", card)) as readonly {
    readonly flags: readonly string[];
    readonly master?: string;
  }[]; // ip's format
  const forwards = host.exec("busybox", "cat", "/proc/sys/net/ipv4/ip_forward").trim();
  return { isUp: link?.flags.includes("UP"), master: link?.master, forwards };
}

/** As a machine begins: its card is there and down, and nothing forwards. */
function begin(host: TestNetns): void {
  host.exec("ip", "link", "add", card, "type", "veth", "peer", "name", "far");
  host.exec("ip", "link", "set", "far", "up");
}

/** A machine that is booted anew is another namespace under the same records. */
test("after a boot, what the host has of its own is not put back to what it was before", () =>
  withNetns(["before", "after"], async ({ before, after }) => {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), "weft-boot-"));
    const openOn = (host: TestNetns) =>
      Controller.open({ root: join(folder, "root"), hostNetns: host.path, selfRepair: false });
    const lent = { isUp: true, master: "brnet", forwards: "1" };
    try {
      begin(before);
      begin(after);
      const former = stateOf(before);
      const make = (controller: Controller) =>
        controller.createNetwork("bridge", "lan", {
          options: { [bridgeOption.name]: "brnet", [bridgeOption.parent]: card },
          ipam: { subnets: [{ subnet: "192.168.57.0/24", gateway: "192.168.57.11" }] },
        });
      const removeAll = async (controller: Controller) => {
        for (const network of controller.networks()) await network.delete();
        await controller.idle();
      };
      const first = await openOn(before);
      await make(first);
      assert.deepEqual(stateOf(before), lent);
      await first.close();
      // In the same life of the machine all is put back, whoever removes the network.
      const second = await openOn(before);
      await removeAll(second);
      assert.deepEqual(stateOf(before), former);
      await make(second);
      await second.close();

      // The person has the next life begin with the card up, and with forwarding.
      after.exec("ip", "link", "set", card, "up");
      setSysctl(after, "net/ipv4/ip_forward", "1");
      const own = stateOf(after);
      const third = await openOn(after);
      assert.deepEqual(stateOf(after), lent);
      await removeAll(third);
      assert.deepEqual(stateOf(after), own);
      await third.purge();
      await third.close();
    } finally {
      unmountPrivateFolder(join(folder, "root", "run"));
      rmSync(folder, { recursive: true, force: true });
    }
  }));
