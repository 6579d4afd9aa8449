import { type NetlinkRequest, NLM_F_REQUEST } from "../message.ts";
import { withHeader } from "../nfnetlink.ts";
import type { Codec } from "../wire.ts";
import { familyNumber, type TableFamily } from "./family.ts";

/** NFNL_SUBSYS_NFTABLES, include/uapi/linux/netfilter/nfnetlink.h. */
export const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;

/** NFNLGRP_NFTABLES: the multicast group where changes of rule sets are told. */
export const NFNLGRP_NFTABLES = 7;

/** enum nf_tables_msg_types. */
export const messageTypes = {
  NFT_MSG_NEWTABLE: 0,
  NFT_MSG_GETTABLE: 1,
  NFT_MSG_DELTABLE: 2,
  NFT_MSG_NEWCHAIN: 3,
  NFT_MSG_GETCHAIN: 4,
  NFT_MSG_DELCHAIN: 5,
  NFT_MSG_NEWRULE: 6,
  NFT_MSG_GETRULE: 7,
  NFT_MSG_DELRULE: 8,
  NFT_MSG_NEWSET: 9,
  NFT_MSG_GETSET: 10,
  NFT_MSG_DELSET: 11,
  NFT_MSG_NEWSETELEM: 12,
  NFT_MSG_GETSETELEM: 13,
  NFT_MSG_DELSETELEM: 14,
  NFT_MSG_NEWGEN: 15,
  NFT_MSG_GETGEN: 16,
  NFT_MSG_DESTROYTABLE: 26,
  NFT_MSG_DESTROYCHAIN: 27,
  NFT_MSG_DESTROYRULE: 28,
  NFT_MSG_DESTROYSET: 29,
  NFT_MSG_DESTROYSETELEM: 30,
} as const;

/** A message of nftables by the kernel's name for it. */
export type MessageName = keyof typeof messageTypes;

const namesByType = new Map(
  // Object.keys forgets that the keys are MessageNames.
  (Object.keys(messageTypes) as MessageName[]).map((name) => [messageTypes[name], name]),
);

/** The nlmsghdr type of a message. */
export function messageType(name: MessageName): number {
  return (NFNL_SUBSYS_NFTABLES << 8) | messageTypes[name];
}

/** The name of an nlmsghdr type; undefined for one of another subsystem, or one not listed above. */
export function messageName(type: number): MessageName | undefined {
  if (type >> 8 !== NFNL_SUBSYS_NFTABLES) return undefined;
  const low = type & 0xff;
  for (const [number, name] of namesByType) if (number === low) return name;
  return undefined;
}

/** What {@link request} needs. `family` is NFPROTO_UNSPEC when absent. */
export interface RequestInit<T> {
  readonly call: MessageName;
  readonly family?: TableFamily | undefined;
  readonly flags?: number;
  /** What it is about, for errors: `chain inet weft forward`. */
  readonly object: string;
  readonly codec: Codec<T>;
  readonly value: T;
}

/** A request of nftables. */
export function request<T>(init: RequestInit<T>): NetlinkRequest {
  const family = init.family === undefined ? 0 : familyNumber(init.family);
  return {
    type: messageType(init.call),
    flags: init.flags ?? 0,
    call: init.call,
    object: init.object,
    body: withHeader(family, 0, init.codec, init.value),
  };
}

/** The first or last message of a batch, with the attributes of `codec`. */
export function batchEnd<T>(
  which: "begin" | "end",
  object: string,
  codec: Codec<T>,
  value: T,
): NetlinkRequest {
  const begins = which === "begin";
  return {
    type: begins ? NFNL_MSG_BATCH_BEGIN : NFNL_MSG_BATCH_END,
    flags: NLM_F_REQUEST,
    call: begins ? "NFNL_MSG_BATCH_BEGIN" : "NFNL_MSG_BATCH_END",
    object,
    body: withHeader(0, NFNL_SUBSYS_NFTABLES, codec, value),
  };
}
