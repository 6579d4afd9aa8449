import { parseIpv4 } from "../core/index.ts";
import { type NetnsRef, type NftTableObject, tableName } from "../kernel/index.ts";
import { nftables } from "../kernel/netlink/index.ts";
import { resolverAddress } from "./sandbox-files.ts";

const { dnat, match, meta, payload, priorities, rules } = nftables;

const address = parseIpv4(resolverAddress);
const tables = new Map<number, NftTableObject["definition"]>();

/**
 * The table in a sandbox that leads what is asked of 127.0.0.11, port 53, to the port that the resolver
 * listens on. Listening on 53 itself would keep a name server of the sandbox's own from starting.
 */
export function resolverTable(netns: NetnsRef, port: number): NftTableObject {
  return { kind: "nft-table", netns, definition: definitionFor(port) };
}

function definitionFor(port: number): NftTableObject["definition"] {
  const known = tables.get(port);
  if (known !== undefined) return known;
  const definition: NftTableObject["definition"] = {
    family: "ip",
    table: tableName,
    sets: {},
    chains: {
      output: {
        hook: { type: "nat", hook: "output", priority: priorities.dstnat, policy: "accept" },
        rules: rules("ip", [
          [
            match(payload("ip daddr"), "==", address),
            match(meta("l4proto"), "==", ["tcp", "udp"]),
            match(payload("th dport"), "==", 53),
            dnat("ip", { address, port }),
          ],
        ]),
      },
    },
  };
  tables.set(port, definition);
  return definition;
}
