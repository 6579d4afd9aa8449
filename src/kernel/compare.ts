import { deepEqual } from "../core/index.ts";
import type { TableDefinition } from "./netlink/nftables/index.ts";
import { normalValueOf } from "./nft-objects.ts";
import type { KernelObject, LinkObject, LinkSpec } from "./objects.ts";

/**
 * How to get from what is found to what is wanted: nothing to do; change it in place; change it in one
 * step that loses what lives in it; delete it and make it anew.
 */
export type Difference = "none" | "in-place" | "rebuild" | "recreate";

/** Compares two objects of one identity. A value that `wanted` leaves open may be anything. */
export function compare(wanted: KernelObject, found: KernelObject): Difference {
  if (wanted.kind === "link" && found.kind === "link") return compareLinks(wanted, found);
  if (wanted.kind === "nft-element" && found.kind === "nft-element") {
    return deepEqual(wanted.element, found.element) || deepEqual(normalValueOf(wanted), normalValueOf(found))
      ? "none"
      : "recreate";
  }
  if (wanted.kind === "nft-table" && found.kind === "nft-table") {
    return sameTable(wanted.definition, found.definition) ? "none" : "rebuild";
  }
  if (wanted.kind === "netns" || deepEqual(wanted, found)) return "none";
  switch (wanted.kind) {
    case "file":
    case "sysctl":
    case "port":
    case "route":
      return "in-place";
    default:
      return "recreate";
  }
}

function compareLinks(wanted: LinkObject, found: LinkObject): Difference {
  // Both are told by their name alone, whatever kind of link they are, unless it is known whence one came.
  if (wanted.spec.type === "moved" && found.spec.type === "moved")
    return wanted.spec.from === found.spec.from ? "none" : "recreate";
  if (wanted.spec.type === "adopted" || wanted.spec.type === "moved") return "none";
  if (wanted.spec.type !== found.spec.type) return "recreate";
  if (wanted.spec.type === "veth" && found.spec.type === "veth") {
    const { netns, name, mac } = wanted.spec.peer;
    const peer = found.spec.peer;
    if (netns !== peer.netns || name !== peer.name || (mac !== undefined && mac !== peer.mac))
      return "recreate";
  }
  const onParent = compareOnParent(wanted.spec, found.spec);
  if (onParent === "recreate") return onParent;
  const same =
    onParent === "none" &&
    sameIfWanted(wanted.mtu, found.mtu) &&
    sameIfWanted(wanted.mac, found.mac) &&
    sameIfWanted(wanted.alias, found.alias);
  return same ? "none" : "in-place";
}

/** Modes are changed in place, but for the one that wants its parent empty. */
function compareOnParent(wanted: LinkSpec, found: LinkSpec): Difference {
  if (deepEqual(wanted, found)) return "none";
  if (wanted.type === "vlan" && found.type === "vlan") return "recreate";
  if (wanted.type === "macvlan" && found.type === "macvlan") {
    const isPassthru = wanted.mode === "passthru" || found.mode === "passthru";
    return isPassthru || wanted.parent !== found.parent ? "recreate" : "in-place";
  }
  if (wanted.type === "ipvlan" && found.type === "ipvlan")
    return wanted.parent === found.parent ? "in-place" : "recreate";
  return "none";
}

function sameIfWanted<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted === undefined || wanted === found;
}

/**
 * Where a table keeps a chain for somebody else, neither that chain's rules are compared nor what those may
 * use: sets and inner chains that weft does not name. Nor is the table's comment, which cannot be changed
 * while it stands.
 */
function sameTable(wanted: TableDefinition, found: TableDefinition): boolean {
  if (deepEqual(wanted, found)) return true;
  const isShared = Object.values(wanted.chains).some(({ kept }) => kept);
  return isShared && deepEqual(ownPart(wanted, wanted), ownPart(found, wanted));
}

/** What of a table is judged by `wanted`. */
function ownPart({ family, table, flags, sets, chains }: TableDefinition, wanted: TableDefinition) {
  const named = Object.entries(sets).filter(([set]) => wanted.sets[set] !== undefined);
  const judged = Object.entries(chains).filter(
    ([chain, { hook }]) => wanted.chains[chain] !== undefined || hook !== undefined,
  );
  const withoutKept = judged.map(([chain, definition]) => [
    chain,
    wanted.chains[chain]?.kept ? "kept" : definition,
  ]);
  return {
    family,
    table,
    flags,
    sets: Object.fromEntries(named),
    chains: Object.fromEntries(withoutKept),
  };
}
