import { isWeftError } from "../core/index.ts";
import {
  normalData,
  normalKey,
  type SetElement,
  type SetType,
  type TableDefinition,
} from "./netlink/nftables/index.ts";
import { hostNetns, type NetnsRef } from "./netns-ref.ts";

/** Families of nftables tables that packets meet which the host forwards. */
export type ForwardFamily = "inet" | "ip" | "ip6";
/** Families of nftables tables that weft writes. */
export type NftFamily = ForwardFamily | "bridge";

/** True for a family of tables that forwarded packets meet. */
export function isForwardFamily(family: string): family is ForwardFamily {
  return family === "inet" || family === "ip" || family === "ip6";
}

/** True for a family of tables that weft writes. */
export function isNftFamily(family: string): family is NftFamily {
  return family === "bridge" || isForwardFamily(family);
}

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

/**
 * The one rule of weft's in somebody else's base chain: what carries {@link acceptMark} is accepted, since a
 * chain that drops cannot be overruled from another table. It is told by what it does, for whoever saves
 * and restores their rules keeps nothing else of it, and may stand anywhere in the chain; weft puts it
 * first. iptables and ip6tables print it as `-m mark --mark 0x1000000/0x1000000 -j ACCEPT`.
 */
export interface AcceptRuleObject {
  readonly kind: "accept-rule";
  readonly netns: NetnsRef;
  readonly family: ForwardFamily;
  readonly table: string;
  readonly chain: string;
}

/**
 * The element's key as the kernel tells it back, by which elements are told apart: "10.0.0.1/32" in a set
 * of intervals is "10.0.0.1". One that does not fit its set stays as it is, for adding it to be refused.
 */
export function normalKeyOf({ type, element }: NftElementObject): SetElement["key"] {
  return whereFitting(element.key, (key) => normalKey(type, key));
}

/** The element's value likewise, all of it but the key. */
export function normalValueOf({ type, element }: NftElementObject): Omit<SetElement, "key"> {
  const { key: _key, data, ...rest } = element;
  if (data === undefined) return rest;
  return { ...rest, data: whereFitting(data, (one) => normalData(type, one)) };
}

function whereFitting<T>(value: T, normal: (value: T) => T): T {
  try {
    return normal(value);
  } catch (error) {
    if (error instanceof RangeError || isWeftError(error)) return value;
    throw error;
  }
}

/** True for a part of the host's rule set. */
export function isHostRule(object: { readonly kind: string; readonly netns?: NetnsRef }): boolean {
  const isRule =
    object.kind === "nft-table" || object.kind === "nft-element" || object.kind === "accept-rule";
  return isRule && object.netns === hostNetns;
}
