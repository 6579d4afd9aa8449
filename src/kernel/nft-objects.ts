import type { SetElement, SetType, TableDefinition } from "./netlink/nftables/index.ts";
import type { NetnsRef } from "./netns-ref.ts";

/** Families of nftables tables that weft writes. */
export type NftFamily = "inet" | "ip" | "ip6";

/**
 * A table with everything constant in it: chains, rules, and the declarations of sets and maps. Its
 * elements are objects of their own. Another definition replaces the table in one transaction.
 */
export interface NftTableObject {
  readonly kind: "nft-table";
  readonly netns: NetnsRef;
  readonly definition: TableDefinition & { readonly family: NftFamily };
}

/** One element of a set, map or verdict map. */
export interface NftElementObject {
  readonly kind: "nft-element";
  readonly netns: NetnsRef;
  readonly family: NftFamily;
  readonly table: string;
  readonly set: string;
  /** The set's type, by which the element is written; the table's definition says the same. */
  readonly type: SetType;
  readonly element: SetElement;
}
