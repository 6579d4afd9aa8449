import { attribute } from "../../attributes.ts";
import { text, u32be, u64be } from "../../wire.ts";
import { exactly, required } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, symbol } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** Changes a set (declared `dynamic`) with what is in registers, as packets come by. */
export interface DynamicSet {
  readonly kind: "dynset";
  readonly operation: "add" | "update" | "delete";
  readonly set: string;
  readonly key: Register;
  /** For a map. */
  readonly data?: Register;
  /** Of the element, in milliseconds; the set's own when absent. */
  readonly timeoutMs?: number;
  readonly inverted?: true;
  readonly setId?: number;
}

const NFT_DYNSET_F_INV = 1;

/** NFTA_DYNSET_*. One with expressions of its own (a meter) is not declared, and decodes as unknown. */
export const dynsetCodec = expressionCodec(
  "dynset",
  exactly(
    {
      set: attribute(1, text),
      setId: attribute(2, u32be),
      operation: attribute(3, symbol({ add: 0, update: 1, delete: 2 })),
      key: attribute(4, register),
      data: attribute(5, register),
      timeout: attribute(6, u64be),
      flags: attribute(9, u32be),
    },
    { pad: 8 },
  ),
  (e: DynamicSet) => ({
    set: e.set,
    setId: e.setId,
    operation: e.operation,
    key: e.key,
    data: e.data,
    timeout: e.timeoutMs === undefined ? undefined : BigInt(e.timeoutMs),
    flags: e.inverted ? NFT_DYNSET_F_INV : undefined,
  }),
  (wire): DynamicSet => {
    const timeout = unless(wire.timeout, 0n);
    return {
      kind: "dynset",
      operation: required(wire.operation, "NFTA_DYNSET_OP"),
      set: required(wire.set, "NFTA_DYNSET_SET_NAME"),
      key: required(wire.key, "NFTA_DYNSET_SREG_KEY"),
      ...compact({
        data: wire.data,
        timeoutMs: timeout === undefined ? undefined : Number(timeout),
        inverted: wire.flags === NFT_DYNSET_F_INV ? (true as const) : undefined,
        setId: wire.setId,
      }),
    };
  },
);
