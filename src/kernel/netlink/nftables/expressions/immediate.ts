import { attribute, nested } from "../../attributes.ts";
import { data } from "../data.ts";
import { exactly, required } from "../exact.ts";
import type { Hex } from "../hex.ts";
import { type Register, register } from "../registers.ts";
import type { Verdict } from "../verdict.ts";
import { expressionCodec } from "./codec.ts";

/** Puts a constant into a register. */
export interface Immediate {
  readonly kind: "immediate";
  readonly into: Register;
  readonly value: Hex;
}

/** Decides. */
export interface Decide {
  readonly kind: "verdict";
  readonly verdict: Verdict;
}

/** NFTA_IMMEDIATE_*. */
export const immediateCodec = expressionCodec(
  "immediate",
  exactly({ dreg: attribute(1, register), data: nested(2, data) }),
  (e: Immediate | Decide) =>
    e.kind === "verdict"
      ? { dreg: "verdict" as const, data: { verdict: e.verdict } }
      : { dreg: e.into, data: { value: e.value } },
  (wire): Immediate | Decide => {
    const given = required(wire.data, "NFTA_IMMEDIATE_DATA");
    if ("verdict" in given) return { kind: "verdict", verdict: given.verdict };
    return { kind: "immediate", into: required(wire.dreg, "NFTA_IMMEDIATE_DREG"), value: given.value };
  },
);
