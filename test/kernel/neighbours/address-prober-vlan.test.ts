import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddress, parseMac, systemClock } from "../../../src/core/index.ts";
import { AddressProber } from "../../../src/kernel/index.ts";
import { needsKernel } from "../../needs-kernel.ts";
import { withNetns } from "../../netns-fixture.ts";
import { linkOf } from "../../packets/index.ts";

needsKernel("802.1Q");

test("an address is held on the VLAN that it is on, and free on the parent and on other VLANs", async () => {
  await withNetns(["host", "machine"], async ({ host, machine }) => {
    const mac = parseMac("02:00:00:00:00:90");
    const addresses = [parseAddress("192.0.2.5"), parseAddress("2001:db8::5")];
    host.exec(
      "ip",
      "link",
      "add",
      "w0",
      "type",
      "veth",
      "peer",
      "name",
      "w0",
      "address",
      mac,
      "netns",
      machine.path,
    );
    for (const one of [host, machine]) {
      one.exec("ip", "link", "set", "w0", "up");
      for (const vlan of ["10", "20"])
        one.exec("ip", "link", "add", "link", "w0", "name", `w0.${vlan}`, "up", "type", "vlan", "id", vlan);
    }
    // Without it Linux answers on every link for all of its addresses.
    machine.exec("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1");
    machine.exec("ip", "address", "add", "192.0.2.5/24", "dev", "w0.10");
    machine.exec("ip", "address", "add", "2001:db8::5/64", "dev", "w0.10", "nodad");
    // It is heard on other links too if it is not sorted out there: the machine says by itself where it is.
    const talk = machine.start("busybox", ["sh", "-c", "while :; do ping -c 1 -W 1 192.0.2.77; done"], {
      stdio: "ignore",
    });
    const prober = new AddressProber(host.fd, systemClock);
    const held = async (link: string) => {
      const found = await prober.ask(linkOf(host.path, link), { addresses, ours: [], windowMs: 400 });
      return [...found].sort((a, b) => (a.address < b.address ? -1 : 1));
    };
    const expected = addresses.map((address) => ({ address, mac }));
    let found = await held("w0.10");
    for (let i = 0; i < 30 && found.length < 2; i++) found = await held("w0.10"); // links that come up are slow here
    assert.deepEqual(found, expected);
    for (const link of ["w0", "w0.20"]) assert.deepEqual(await held(link), [], link);
    talk.kill("SIGKILL");
  });
});
