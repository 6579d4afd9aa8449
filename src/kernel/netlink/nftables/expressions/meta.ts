import { attribute } from "../../attributes.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** enum nft_meta_keys, with nft's words. */
export const metaKeys = {
  length: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  rtclassid: 13,
  secmark: 14,
  nfproto: 15,
  l4proto: 16,
  ibrname: 17,
  obrname: 18,
  pkttype: 19,
  cpu: 20,
  iifgroup: 21,
  oifgroup: 22,
  cgroup: 23,
  random: 24,
  secpath: 25,
  iifkind: 26,
  oifkind: 27,
  ibrpvid: 28,
  ibrvproto: 29,
  time: 30,
  day: 31,
  hour: 32,
  sdif: 33,
  sdifname: 34,
} as const;

/** What a packet is known by besides its bytes: `iifname`, `mark`, `l4proto`. */
export type MetaKey = keyof typeof metaKeys;

/** Loads a property of the packet. */
export interface MetaLoad {
  readonly kind: "meta";
  readonly key: MetaKey;
  readonly into: Register;
}

/** Sets a property of the packet: its mark, priority, nftrace, packet type. */
export interface MetaSet {
  readonly kind: "meta-set";
  readonly key: MetaKey;
  readonly from: Register;
}

/** NFTA_META_*. */
export const metaCodec = expressionCodec(
  "meta",
  exactly({
    key: attribute(2, symbol(metaKeys)),
    dreg: attribute(1, register),
    sreg: attribute(3, register),
  }),
  (e: MetaLoad | MetaSet) =>
    e.kind === "meta" ? { key: e.key, dreg: e.into } : { key: e.key, sreg: e.from },
  (wire): MetaLoad | MetaSet => {
    const key = required(wire.key, "NFTA_META_KEY");
    if (wire.sreg !== undefined) return { kind: "meta-set", key, from: wire.sreg };
    return { kind: "meta", key, into: required(wire.dreg, "NFTA_META_DREG") };
  },
);
