import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { LinuxFacts } from "../../src/facts/index.ts";
import { isWireless } from "../../src/kernel/index.ts";
import {
  genetlink,
  NETLINK_GENERIC,
  type NetlinkSocket,
  type Writer,
} from "../../src/kernel/netlink/index.ts";
import { needsKernel } from "../needs-kernel.ts";
import { withNetns } from "../netns-fixture.ts";
import { linkOf } from "../packets/index.ts";

// Radios made of software are in no kernel that lacks 802.1Q here; Debian's has both.
needsKernel("802.1Q");

/** A request of generic netlink with attributes of 32 bits each. */
function command(
  socket: NetlinkSocket,
  family: string,
  number: number,
  values: Readonly<Record<number, number>> = {},
): void {
  const type = genetlink.familyId(socket, family);
  assert.ok(type !== undefined, `no generic netlink family ${family}`);
  const body = (writer: Writer) => {
    for (const byte of [number, 1, 0, 0]) writer.u8(byte);
    for (const [attribute, value] of Object.entries(values)) {
      const isByte = Number(attribute) === fourAddress;
      writer.u16(isByte ? 5 : 8);
      writer.u16(Number(attribute));
      if (isByte) writer.u8(value);
      else writer.u32(value);
      writer.align();
    }
  };
  socket.execute({ type, flags: 0, call: `${family} ${number}`, object: "", body });
}

/** HWSIM_CMD_NEW_RADIO of drivers/net/wireless/mac80211_hwsim.h. */
const newRadio = 4;
/** NL80211_CMD_SET_INTERFACE, NL80211_ATTR_IFINDEX, _IFTYPE, _4ADDR of include/uapi/linux/nl80211.h. */
const setInterface = 6;
const ifindex = 3;
const iftype = 5;
const fourAddress = 83;

test("a wireless link is told with its role, and one with a cable is none", async () => {
  execFileSync("modprobe", ["mac80211_hwsim", "radios=0"]);
  try {
    await withNetns(["host"], ({ host }) => {
      host.exec("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0p");
      const socket = host.netlink(NETLINK_GENERIC);
      command(socket, "MAC80211_HWSIM", newRadio);
      const facts = new LinuxFacts(host.path);
      try {
        const wlan = "wlan0";
        const { index } = linkOf(host.path, wlan);
        const wireless = () => facts.wireLink(wlan)?.wireless;
        assert.deepEqual(wireless(), { role: "station", fourAddress: false });
        assert.equal(facts.wireLink("eth0")?.wireless, undefined);
        command(socket, "nl80211", setInterface, { [ifindex]: index, [fourAddress]: 1 });
        assert.deepEqual(wireless(), { role: "station", fourAddress: true });
        command(socket, "nl80211", setInterface, { [ifindex]: index, [fourAddress]: 0 });
        command(socket, "nl80211", setInterface, { [ifindex]: index, [iftype]: 3 });
        assert.deepEqual(wireless(), { role: "access point", fourAddress: false });
        // The old way to ask, for drivers that nl80211 does not know.
        assert.equal(
          host.run(() => isWireless("eth0")),
          false,
        );
        assert.equal(
          host.run(() => isWireless(wlan)),
          true,
        );
        assert.deepEqual(facts.hardwareLinks(), [], "it is down");
        host.exec("ip", "link", "set", wlan, "up");
        assert.deepEqual(facts.hardwareLinks(), [wlan]);
      } finally {
        facts.close();
      }
    });
  } finally {
    execFileSync("modprobe", ["-r", "mac80211_hwsim"]);
  }
});
