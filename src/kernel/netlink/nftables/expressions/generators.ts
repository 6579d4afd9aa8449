import { attribute } from "../../attributes.ts";
import { u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** Makes numbers from `offset` to `offset + modulus - 1`, one after the other or by chance. */
export interface Numgen {
  readonly kind: "numgen";
  readonly mode: "inc" | "random";
  readonly modulus: number;
  /** 0 when absent. */
  readonly offset?: number;
  readonly into: Register;
}

/** Hashes `length` bytes to a number from `offset` to `offset + modulus - 1`. */
export interface JenkinsHash {
  readonly kind: "jhash";
  readonly from: Register;
  readonly length: number;
  readonly modulus: number;
  /** When absent the kernel draws one. 0 is a seed like any other. */
  readonly seed?: number;
  readonly offset?: number;
  readonly into: Register;
}

/** A hash that is the same for both directions of a flow. */
export interface SymmetricHash {
  readonly kind: "symhash";
  readonly modulus: number;
  readonly offset?: number;
  readonly into: Register;
}

/** NFTA_NG_*. */
export const numgenCodec = expressionCodec(
  "numgen",
  exactly({
    dreg: attribute(1, register),
    modulus: attribute(2, u32be),
    type: attribute(3, symbol({ inc: 0, random: 1 })),
    offset: attribute(4, u32be),
  }),
  (e: Numgen) => ({ dreg: e.into, modulus: e.modulus, type: e.mode, offset: e.offset }),
  (wire): Numgen => ({
    kind: "numgen",
    mode: required(wire.type, "NFTA_NG_TYPE"),
    modulus: required(wire.modulus, "NFTA_NG_MODULUS"),
    into: required(wire.dreg, "NFTA_NG_DREG"),
    ...compact({ offset: unless(wire.offset, 0) }),
  }),
);

/** NFTA_HASH_*. */
export const hashCodec = expressionCodec(
  "hash",
  exactly({
    sreg: attribute(1, register),
    dreg: attribute(2, register),
    length: attribute(3, u32be),
    modulus: attribute(4, u32be),
    seed: attribute(5, u32be),
    offset: attribute(6, u32be),
    type: attribute(7, symbol({ jhash: 0, symhash: 1 })),
  }),
  (e: JenkinsHash | SymmetricHash) => {
    const common = { dreg: e.into, modulus: e.modulus, offset: e.offset, type: e.kind };
    if (e.kind === "symhash") return common;
    return { ...common, sreg: e.from, length: e.length, seed: e.seed };
  },
  (wire): JenkinsHash | SymmetricHash => {
    const common = {
      modulus: required(wire.modulus, "NFTA_HASH_MODULUS"),
      into: required(wire.dreg, "NFTA_HASH_DREG"),
      ...compact({ offset: unless(wire.offset, 0) }),
    };
    if (wire.type === "symhash") return { kind: "symhash", ...common };
    return {
      kind: "jhash",
      from: required(wire.sreg, "NFTA_HASH_SREG"),
      length: required(wire.length, "NFTA_HASH_LEN"),
      ...common,
      ...compact({ seed: wire.seed }),
    };
  },
);
