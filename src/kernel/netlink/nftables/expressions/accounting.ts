import { attribute } from "../../attributes.ts";
import { u32be, u64be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { compact, flagBits, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** Counts packets and bytes that come by. The kernel tells the counts; a definition leaves them out. */
export interface Counter {
  readonly kind: "counter";
  readonly packets?: bigint;
  readonly bytes?: bigint;
}

/** Goes on with the rule until the rate is passed, or (`over`) only when it is passed. */
export interface Limit {
  readonly kind: "limit";
  readonly of: "packets" | "bytes";
  /** How many in a `perSeconds`. */
  readonly rate: bigint;
  /** 1, 60, 3600, 86400 or 604800. */
  readonly perSeconds: bigint;
  /** How many more at once. nft writes 5 packets or 0 bytes unless told otherwise. */
  readonly burst: number;
  readonly over?: true;
}

const NFT_LIMIT_F_INV = 1;

/** NFTA_COUNTER_*. */
export const counterCodec = expressionCodec(
  "counter",
  exactly({ bytes: attribute(1, u64be), packets: attribute(2, u64be) }, { pad: 3 }),
  (e: Counter) => e,
  (wire): Counter => ({
    kind: "counter",
    ...compact({ packets: unless(wire.packets, 0n), bytes: unless(wire.bytes, 0n) }),
  }),
);

/** NFTA_LIMIT_*. */
export const limitCodec = expressionCodec(
  "limit",
  exactly(
    {
      rate: attribute(1, u64be),
      unit: attribute(2, u64be),
      burst: attribute(3, u32be),
      type: attribute(4, symbol({ packets: 0, bytes: 1 })),
      flags: attribute(5, u32be),
    },
    { pad: 6 },
  ),
  (e: Limit) => ({
    rate: e.rate,
    unit: e.perSeconds,
    burst: e.burst,
    type: e.of,
    flags: flagBits({ over: NFT_LIMIT_F_INV }, e.over ? ["over"] : []),
  }),
  (wire): Limit => ({
    kind: "limit",
    of: wire.type ?? "packets",
    rate: required(wire.rate, "NFTA_LIMIT_RATE"),
    perSeconds: required(wire.unit, "NFTA_LIMIT_UNIT"),
    burst: wire.burst ?? 0,
    ...compact({ over: wire.flags === NFT_LIMIT_F_INV ? (true as const) : undefined }),
  }),
);
