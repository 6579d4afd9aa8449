import { closingSets, type KernelObject, type ObjectKind, tableName } from "../kernel/index.ts";
import type { PlannedObject } from "./object.ts";

/**
 * The order of kinds: creation goes up, deletion goes down. What one kind relies on being ready has a
 * lower rank. Held types say theirs when they are registered; names come last.
 */
const rankOfKind: Readonly<Record<ObjectKind, number>> = {
  netns: 0,
  file: 1,
  link: 2,
  sysctl: 3,
  port: 4,
  address: 5,
  up: 6,
  route: 7,
  "nft-table": 10,
  "nft-element": 11,
  // The marks that it lets through are set by weft's own table.
  "accept-rule": 11.2,
};

/** What lets traffic through by itself comes when the rules that judge it stand, and goes before they do. */
const openingRank = 11.5;

/** Links on other links come after all that those may be: a VLAN's sub-interface on any, these on that. */
const rankOnParent = { vlan: 2.1, macvlan: 2.2, ipvlan: 2.2 } as const;

/** The rank of a kernel object. */
export function rankOfObject(object: KernelObject): number {
  if (object.kind === "link" && "parent" in object.spec) return rankOnParent[object.spec.type];
  return object.kind === "sysctl" && object.opensTraffic === true ? openingRank : rankOfKind[object.kind];
}

/** What keeps traffic out goes when nothing is left that could send any, and its table after it. */
const closingRank = 1.5;
const tableDeletionRank = 1.4;

/** The rank of a kernel object that goes: that of its coming, but for what has to outlast the links. */
export function deletionRankOfObject(object: KernelObject): number {
  if (object.kind === "nft-table") return tableDeletionRank;
  const closes = object.kind === "nft-element" && object.table === tableName && closingSets.has(object.set);
  return closes ? closingRank : rankOfObject(object);
}

/** Ranks for held types: a listener stands before the rules that lead to it, a name after everything. */
export const heldRanks = { listener: 8, view: 12, name: 13 } as const;

/**
 * From this rank on objects let traffic and names in. When something is deleted they are withdrawn at
 * once, before the caller is answered; the rest is removed in the background.
 */
export const withdrawnFromRank = rankOfKind["nft-table"];

/** Gives the ranks of any planned object: of its coming, and of its going. */
export interface Ranks {
  readonly creation: (object: PlannedObject) => number;
  readonly deletion: (object: PlannedObject) => number;
}
