import { attribute, nested } from "../../attributes.ts";
import { dataValue } from "../data.ts";
import { exactly, required } from "../exact.ts";
import type { Hex } from "../hex.ts";
import { type Register, register } from "../registers.ts";
import { symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** enum nft_cmp_ops. */
const comparisons = { "==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5 } as const;
/** enum nft_range_ops. */
const rangeTests = { "==": 0, "!=": 1 } as const;

/** How two values are compared. */
export type Comparison = keyof typeof comparisons;

/** Goes on with the rule if the bytes in the register, compared as memory is, stand so to `value`. */
export interface Compare {
  readonly kind: "cmp";
  readonly from: Register;
  readonly op: Comparison;
  readonly value: Hex;
}

/** Goes on with the rule if the bytes lie in the closed interval, or outside it. */
export interface Range {
  readonly kind: "range";
  readonly from: Register;
  readonly op: keyof typeof rangeTests;
  readonly low: Hex;
  readonly high: Hex;
}

/** NFTA_CMP_*. */
export const compareCodec = expressionCodec(
  "cmp",
  exactly({
    sreg: attribute(1, register),
    op: attribute(2, symbol(comparisons)),
    data: nested(3, dataValue),
  }),
  (e: Compare) => ({ sreg: e.from, op: e.op, data: e.value }),
  (wire): Compare => ({
    kind: "cmp",
    from: required(wire.sreg, "NFTA_CMP_SREG"),
    op: required(wire.op, "NFTA_CMP_OP"),
    value: required(wire.data, "NFTA_CMP_DATA"),
  }),
);

/** NFTA_RANGE_*. */
export const rangeCodec = expressionCodec(
  "range",
  exactly({
    sreg: attribute(1, register),
    op: attribute(2, symbol(rangeTests)),
    low: nested(3, dataValue),
    high: nested(4, dataValue),
  }),
  (e: Range) => ({ sreg: e.from, op: e.op, low: e.low, high: e.high }),
  (wire): Range => ({
    kind: "range",
    from: required(wire.sreg, "NFTA_RANGE_SREG"),
    op: required(wire.op, "NFTA_RANGE_OP"),
    low: required(wire.low, "NFTA_RANGE_FROM_DATA"),
    high: required(wire.high, "NFTA_RANGE_TO_DATA"),
  }),
);
