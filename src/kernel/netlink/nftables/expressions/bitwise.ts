import { attribute, nested } from "../../attributes.ts";
import { u32be } from "../../wire.ts";
import { dataValue } from "../data.ts";
import { exactly, required } from "../exact.ts";
import type { Hex } from "../hex.ts";
import { type Register, register } from "../registers.ts";
import { symbol } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/** into = (from & mask) ^ xor. The two values are `length` bytes. */
export interface Mask {
  readonly kind: "mask";
  readonly from: Register;
  readonly into: Register;
  readonly length: number;
  readonly mask: Hex;
  readonly xor: Hex;
}

/** into = from shifted; `by` is in bits, a 32-bit integer in host order. */
export interface Shift {
  readonly kind: "shift";
  readonly direction: "left" | "right";
  readonly from: Register;
  readonly into: Register;
  readonly length: number;
  readonly by: Hex;
}

/** enum nft_bitwise_ops. */
const operations = { mask: 0, left: 1, right: 2 } as const;

const layout = exactly({
  sreg: attribute(1, register),
  dreg: attribute(2, register),
  op: attribute(6, symbol(operations)),
  length: attribute(3, u32be),
  mask: nested(4, dataValue),
  xor: nested(5, dataValue),
  data: nested(7, dataValue),
});

/** NFTA_BITWISE_*. */
export const bitwiseCodec = expressionCodec(
  "bitwise",
  layout,
  (e: Mask | Shift) => {
    const operands = { sreg: e.from, dreg: e.into, length: e.length };
    if (e.kind === "mask") return { ...operands, op: "mask" as const, mask: e.mask, xor: e.xor };
    return { ...operands, op: e.direction, data: e.by };
  },
  (wire): Mask | Shift => {
    const operands = {
      from: required(wire.sreg, "NFTA_BITWISE_SREG"),
      into: required(wire.dreg, "NFTA_BITWISE_DREG"),
      length: required(wire.length, "NFTA_BITWISE_LEN"),
    };
    const op = wire.op ?? "mask"; // kernels before 5.6 know no other and do not dump it
    if (op !== "mask")
      return { kind: "shift", direction: op, ...operands, by: required(wire.data, "NFTA_BITWISE_DATA") };
    const mask = required(wire.mask, "NFTA_BITWISE_MASK");
    return { kind: "mask", ...operands, mask, xor: required(wire.xor, "NFTA_BITWISE_XOR") };
  },
);
