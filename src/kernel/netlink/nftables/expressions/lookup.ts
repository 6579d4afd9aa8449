import { attribute } from "../../attributes.ts";
import { text, u32be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact } from "../symbols.ts";
import { expressionCodec } from "./codec.ts";

/**
 * Looks the bytes in a register up in a set, and goes on with the rule if they are there. With `into`
 * the set is a map, whose data is loaded; "verdict" decides by a verdict map.
 */
export interface Lookup {
  readonly kind: "lookup";
  readonly set: string;
  readonly from: Register;
  readonly into?: Register;
  /** Goes on if they are not there. */
  readonly inverted?: true;
  /** The number that a set made in the same batch was given; an anonymous one is known by nothing else. */
  readonly setId?: number;
}

const NFT_LOOKUP_F_INV = 1;

/** NFTA_LOOKUP_*. */
export const lookupCodec = expressionCodec(
  "lookup",
  exactly({
    sreg: attribute(2, register),
    dreg: attribute(3, register),
    set: attribute(1, text),
    setId: attribute(4, u32be),
    flags: attribute(5, u32be),
  }),
  (e: Lookup) => ({
    sreg: e.from,
    dreg: e.into,
    set: e.set,
    setId: e.setId,
    flags: e.inverted ? NFT_LOOKUP_F_INV : undefined,
  }),
  (wire): Lookup => {
    const inverted = wire.flags === NFT_LOOKUP_F_INV ? (true as const) : undefined;
    return {
      kind: "lookup",
      set: required(wire.set, "NFTA_LOOKUP_SET"),
      from: required(wire.sreg, "NFTA_LOOKUP_SREG"),
      ...compact({ into: wire.dreg, inverted, setId: wire.setId }),
    };
  },
);
