import { attribute, attributes } from "../attributes.ts";
import type { NetlinkMessage } from "../message.ts";
import { splitHeader } from "../nfnetlink.ts";
import { text } from "../wire.ts";
import { type Chain, chainAttributes, chainFromWire } from "./chain.ts";
import { type ElementWire, elementsFromWire, type SetElement } from "./element.ts";
import { elementListAttributes } from "./element-changes.ts";
import { familyFromNumber, type TableFamily } from "./family.ts";
import { type Generation, generationAttributes, generationFromWire } from "./generation.ts";
import { type MessageName, messageName, NFNL_SUBSYS_NFTABLES } from "./protocol.ts";
import { type Rule, ruleAttributes, ruleFromWire } from "./rule.ts";
import { type NftSet, type SetName, setAttributes, setFromWire } from "./set.ts";
import type { SetType } from "./set-type.ts";
import { type Table, type TableName, tableAttributes, tableFromWire } from "./table.ts";

/**
 * What the kernel tells the members of NFNLGRP_NFTABLES: all that one transaction did, then the
 * generation it made. Elements come undecoded, for only their set's type says what they mean.
 */
export type Notification =
  | { readonly event: "new-table" | "delete-table"; readonly table: Table }
  | { readonly event: "new-chain" | "delete-chain"; readonly chain: Chain }
  | { readonly event: "new-rule" | "delete-rule"; readonly rule: Rule }
  | { readonly event: "new-set" | "delete-set"; readonly set: NftSet }
  | {
      readonly event: "new-elements" | "delete-elements";
      readonly set: SetName;
      /** The elements, given the type of their set. */
      readonly elements: (type: SetType) => readonly SetElement[];
    }
  | { readonly event: "generation"; readonly generation: Generation };

type Decoder = (family: TableFamily, attributes: Buffer) => Notification;

const table = (event: "new-table" | "delete-table"): Decoder => {
  return (family, bytes) => ({ event, table: tableFromWire(family, tableAttributes.read(bytes)) });
};
const chain = (event: "new-chain" | "delete-chain"): Decoder => {
  return (family, bytes) => ({ event, chain: chainFromWire(family, chainAttributes.read(bytes)) });
};
const rule = (event: "new-rule" | "delete-rule"): Decoder => {
  return (family, bytes) => ({ event, rule: ruleFromWire(family, ruleAttributes.read(bytes)) });
};
const set = (event: "new-set" | "delete-set"): Decoder => {
  return (family, bytes) => ({ event, set: setFromWire(family, setAttributes.read(bytes)) });
};
const elements = (event: "new-elements" | "delete-elements"): Decoder => {
  return (family, bytes) => {
    const wire = elementListAttributes.read(bytes);
    const found: readonly ElementWire[] = wire.elements ?? [];
    const name = { family, table: wire.table ?? "", set: wire.set ?? "" };
    return { event, set: name, elements: (type) => elementsFromWire(type, found) };
  };
};

const decoders: Readonly<Partial<Record<MessageName, Decoder>>> = {
  NFT_MSG_NEWTABLE: table("new-table"),
  NFT_MSG_DELTABLE: table("delete-table"),
  NFT_MSG_NEWCHAIN: chain("new-chain"),
  NFT_MSG_DELCHAIN: chain("delete-chain"),
  NFT_MSG_NEWRULE: rule("new-rule"),
  NFT_MSG_DELRULE: rule("delete-rule"),
  NFT_MSG_NEWSET: set("new-set"),
  NFT_MSG_DELSET: set("delete-set"),
  NFT_MSG_NEWSETELEM: elements("new-elements"),
  NFT_MSG_DELSETELEM: elements("delete-elements"),
};

/**
 * Decodes what came from the group. Undefined for what is not modelled: objects, flow tables, traces,
 * and the chain of a family or hook that is newer than this library.
 */
export function decodeNotification(message: NetlinkMessage): Notification | undefined {
  const name = messageName(message.type);
  if (name === undefined) return undefined;
  const { header, attributes } = splitHeader(message);
  try {
    if (name === "NFT_MSG_NEWGEN")
      return { event: "generation", generation: generationFromWire(generationAttributes.read(attributes)) };
    return decoders[name]?.(familyFromNumber(header.family), attributes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a notification is about, as far as its type and first attribute tell. */
export interface TouchedTable extends TableName {
  readonly what: "table" | "chain" | "rule" | "set" | "elements" | "other";
}

/** Which part of a table each message tells of. */
const parts: Readonly<Partial<Record<MessageName, TouchedTable["what"]>>> = {
  NFT_MSG_NEWTABLE: "table",
  NFT_MSG_DELTABLE: "table",
  NFT_MSG_NEWCHAIN: "chain",
  NFT_MSG_DELCHAIN: "chain",
  NFT_MSG_NEWRULE: "rule",
  NFT_MSG_DELRULE: "rule",
  NFT_MSG_NEWSET: "set",
  NFT_MSG_DELSET: "set",
  NFT_MSG_NEWSETELEM: "elements",
  NFT_MSG_DELSETELEM: "elements",
};

/** NFTA_*_TABLE: all messages of nftables but that of the generation have the table's name in their first attribute. */
const inTable = attributes({ table: attribute(1, text) });

/**
 * The table that a message from the group is about; costs less than {@link decodeNotification}. Undefined
 * when it is about none, or of a family that is newer than this library.
 */
export function notifiedTable(message: NetlinkMessage): TouchedTable | undefined {
  const name = messageName(message.type);
  if (message.type >> 8 !== NFNL_SUBSYS_NFTABLES || name === "NFT_MSG_NEWGEN") return undefined;
  const { header, attributes: rest } = splitHeader(message);
  const { table } = inTable.read(rest);
  if (table === undefined) return undefined;
  const what = name === undefined ? "other" : (parts[name] ?? "other");
  try {
    return { family: familyFromNumber(header.family), table, what };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
