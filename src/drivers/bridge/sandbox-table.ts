import { hostNetns, linkGroup, type NftTableObject, sandboxMark, tableName } from "../../kernel/index.ts";
import { nftables } from "../../kernel/netlink/index.ts";

const { drop, masked, match, meta, payload, rules, setMeta, withBits } = nftables;

/** NF_BR_PRI_FILTER_BRIDGED of linux/netfilter_bridge.h: before br_netfilter, which is at 0, asks IP's rules. */
const beforeIp = -200;

/** weft gives its group to veth pairs for sandboxes, and to VLAN sub-interfaces, which lead elsewhere. */
const fromSandbox = [match(meta("iifgroup"), "==", linkGroup), match(meta("iifkind"), "==", "veth")] as const;
const isTagged = match(payload("ether type"), "==", ["vlan", "8021ad"]);

/**
 * The host's table of family bridge: where a packet has left the bridge, nothing else tells by which port it
 * came. Constant; wanted by networks whose bridge has a port to the underlay, for only their rules ask.
 */
export const sandboxTable: NftTableObject = {
  kind: "nft-table",
  netns: hostNetns,
  definition: {
    family: "bridge",
    table: tableName,
    sets: {},
    chains: {
      prerouting: {
        hook: { type: "filter", hook: "prerouting", priority: beforeIp, policy: "accept" },
        rules: rules("bridge", [[...fromSandbox, setMeta("mark", withBits(meta("mark"), sandboxMark))]]),
      },
      forward: {
        hook: { type: "filter", hook: "forward", priority: beforeIp, policy: "accept" },
        rules: rules("bridge", [
          // Where the parent carries VLANs, a tag of the sandbox's own would be one of them.
          [...fromSandbox, isTagged, match(meta("oifgroup"), "!=", linkGroup), drop],
          [...fromSandbox, isTagged, match(meta("oifkind"), "!=", "veth"), drop],
          // The bridge lets it pass between these ports; IP's rules judge what the host itself sends on.
          [
            match(masked(meta("mark"), sandboxMark), "==", sandboxMark),
            setMeta("mark", withBits(meta("mark"), 0, sandboxMark)),
          ],
        ]),
      },
    },
  },
};
