import { attribute } from "../../attributes.ts";
import { u8 } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** enum nft_ct_keys, with nft's words. */
export const ctKeys = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  secmark: 4,
  expiration: 5,
  helper: 6,
  l3proto: 7,
  saddr: 8,
  daddr: 9,
  protocol: 10,
  "proto-src": 11,
  "proto-dst": 12,
  label: 13,
  packets: 14,
  bytes: 15,
  avgpkt: 16,
  zone: 17,
  event: 18,
  "ip saddr": 19,
  "ip daddr": 20,
  "ip6 saddr": 21,
  "ip6 daddr": 22,
  id: 23,
} as const;

/** What connection tracking knows of the packet's flow. */
export type CtKey = keyof typeof ctKeys;
/** The first packet's direction, or that of the answers. */
export type CtDirection = "original" | "reply";

/** Loads a property of the flow; some differ by direction. */
export interface CtLoad {
  readonly kind: "ct";
  readonly key: CtKey;
  readonly into: Register;
  readonly direction?: CtDirection;
}

/** Sets a property of the flow: its mark, zone, label, events. */
export interface CtSet {
  readonly kind: "ct-set";
  readonly key: CtKey;
  readonly from: Register;
  readonly direction?: CtDirection;
}

const directions: readonly CtDirection[] = ["original", "reply"];

/** NFTA_CT_*. */
export const conntrackCodec = expressionCodec(
  "ct",
  exactly({
    key: attribute(2, symbol(ctKeys)),
    dreg: attribute(1, register),
    direction: attribute(3, u8),
    sreg: attribute(4, register),
  }),
  (e: CtLoad | CtSet) => ({
    key: e.key,
    ...(e.kind === "ct" ? { dreg: e.into } : { sreg: e.from }),
    direction: e.direction === undefined ? undefined : directions.indexOf(e.direction),
  }),
  (wire): CtLoad | CtSet => {
    const key = required(wire.key, "NFTA_CT_KEY");
    const rest = compact({
      direction: wire.direction === undefined ? undefined : directionOf(wire.direction),
    });
    if (wire.sreg !== undefined) return { kind: "ct-set", key, from: wire.sreg, ...rest };
    return { kind: "ct", key, into: required(wire.dreg, "NFTA_CT_DREG"), ...rest };
  },
);

function directionOf(number: number): CtDirection {
  const direction = directions[number];
  if (direction === undefined) throw new RangeError(`no direction ${number}`);
  return direction;
}
