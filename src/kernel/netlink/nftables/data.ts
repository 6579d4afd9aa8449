import { attribute, nested } from "../attributes.ts";
import type { Codec } from "../wire.ts";
import { exactly } from "./exact.ts";
import { type Hex, hex } from "./hex.ts";
import { type Verdict, verdictCodec } from "./verdict.ts";

/** A constant in a rule or an element: bytes as they stand in a register, or a verdict. */
export type Data = { readonly value: Hex } | { readonly verdict: Verdict };

const layout = exactly({ value: attribute(1, hex), verdict: nested(2, verdictCodec) });

/** NFTA_DATA_*. Reading throws RangeError for data that is neither a value nor a known verdict. */
export const data: Codec<Data> = {
  write: (writer, value) => layout.write(writer, value),
  read(bytes) {
    const { value, verdict } = layout.read(bytes);
    if (value !== undefined) return { value };
    if (verdict !== undefined) return { verdict };
    throw new RangeError("data without a value");
  },
};

/** NFTA_DATA_* where only bytes make sense: a comparison's value, a mask, an element's key. */
export const dataValue: Codec<Hex> = {
  write: (writer, value) => layout.write(writer, { value }),
  read(bytes) {
    const { value } = layout.read(bytes);
    if (value === undefined) throw new RangeError("a verdict where bytes were expected");
    return value;
  },
};
