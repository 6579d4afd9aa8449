import { hostNetns, type NftElementObject, type NftTableObject, tableName } from "../../kernel/index.ts";
import type { nftables } from "../../kernel/netlink/index.ts";
import { tableChains } from "./table-chains.ts";
import { tableSets } from "./table-sets.ts";

/**
 * The host's table: isolation of networks from each other and from neighbours, published ports, and the
 * way out. Constant; wanted by every bridge network. docs/packet-path.md follows a packet through it.
 */
export const bridgeTable: NftTableObject = {
  kind: "nft-table",
  netns: hostNetns,
  definition: { family: "inet", table: tableName, sets: tableSets, chains: tableChains },
};

/** An element of one of the table's sets. */
export function element(
  name: keyof typeof tableSets,
  key: readonly string[] | nftables.SetElement["key"],
  more: Omit<nftables.SetElement, "key"> = {},
): NftElementObject {
  return {
    kind: "nft-element",
    netns: hostNetns,
    family: "inet",
    table: tableName,
    set: name,
    type: tableSets[name],
    element: { key, ...more },
  };
}
