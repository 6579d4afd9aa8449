import { attribute } from "../../attributes.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { flags, symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** enum nft_fib_flags: what the routing table is asked with. */
const fibFlags = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16, present: 32 } as const;
/** enum nft_fib_result. */
const fibResults = { oif: 1, oifname: 2, type: 3 } as const;

/** What the routing table is asked with; `present` asks only whether there is a route. */
export type FibSelector = keyof typeof fibFlags;
/** What it is asked for: an interface's number or name, or the type of the address (local, unicast). */
export type FibResult = keyof typeof fibResults;

/** Asks the routing table. */
export interface Fib {
  readonly kind: "fib";
  /** In the order saddr, daddr, mark, iif, oif, present. */
  readonly selectors: readonly FibSelector[];
  readonly result: FibResult;
  readonly into: Register;
}

/** NFTA_FIB_*. */
export const fibCodec = expressionCodec(
  "fib",
  exactly({
    flags: attribute(3, flags(fibFlags)),
    result: attribute(2, symbol(fibResults)),
    dreg: attribute(1, register),
  }),
  (e: Fib) => ({ flags: e.selectors, result: e.result, dreg: e.into }),
  (wire): Fib => ({
    kind: "fib",
    selectors: required(wire.flags, "NFTA_FIB_FLAGS"),
    result: required(wire.result, "NFTA_FIB_RESULT"),
    into: required(wire.dreg, "NFTA_FIB_DREG"),
  }),
);
