import type { FeatureName } from "../../src/facts/index.ts";
import type { TestNetns } from "../netns-fixture.ts";

const natRules = "table inet t { chain c { type nat hook postrouting priority srcnat; masquerade; }; }";
const bridgeRules = "table bridge t { chain c { type filter hook forward priority 0; }; }";
const esp =
  "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 reqid 1 mode transport aead rfc4106(gcm(aes))";

/** What people would type to see whether a kernel has a feature; `l0` and `l1` are a veth pair, `l2` and `l3` another. */
const commands: Readonly<Record<FeatureName, readonly string[]>> = {
  bridge: ["ip", "link", "add", "x0", "type", "bridge"],
  veth: ["ip", "link", "add", "x1", "type", "veth", "peer", "name", "x2"],
  "nftables NAT": ["nft", natRules],
  "nftables bridge": ["nft", bridgeRules],
  conntrack: ["conntrack", "-L"],
  IPv6: ["ip", "address", "add", "fd00::1/64", "dev", "l0"],
  br_netfilter: ["cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"],
  vxlan: ["ip", "link", "add", "x3", "type", "vxlan", "id", "7", "dstport", "4789"],
  macvlan: ["ip", "link", "add", "x4", "link", "l0", "type", "macvlan", "mode", "bridge"],
  ipvlan: ["ip", "link", "add", "x5", "link", "l2", "type", "ipvlan", "mode", "l2"],
  "802.1Q": ["ip", "link", "add", "x6", "link", "l0", "type", "vlan", "id", "7"],
  dummy: ["ip", "link", "add", "x7", "type", "dummy"],
  IPVS: ["genl", "ctrl", "get", "name", "IPVS"],
  ESP: [...esp.split(" "), `0x${"00".repeat(20)}`, "64"],
  WireGuard: ["ip", "link", "add", "x8", "type", "wireguard"],
  netem: ["tc", "qdisc", "add", "dev", "l1", "root", "netem", "delay", "1ms"],
};

/** What real tools can do in a namespace of this kernel. */
export function availableToTools(host: TestNetns): Readonly<Record<string, boolean>> {
  host.exec("ip", "link", "add", "l0", "type", "veth", "peer", "name", "l1");
  host.exec("ip", "link", "add", "l2", "type", "veth", "peer", "name", "l3");
  const rows = Object.entries(commands).map(([name, [program = "", ...args]]) => {
    try {
      host.exec(program, ...args);
      return [name, true] as const;
    } catch {
      return [name, false] as const;
    }
  });
  return Object.fromEntries(rows);
}
