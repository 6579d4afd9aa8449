import type { FieldType, FieldValueOf } from "./field.ts";
import type { TypeofField } from "./typeof.ts";

/** What a set holds and how: a plain set, a map to values, or a verdict map. */
export interface SetType {
  /** The parts of the key, one or several (a concatenation). */
  readonly key: readonly FieldType[];
  /** Makes it a map: the parts of each element's value, or a verdict. */
  readonly data?: readonly FieldType[] | "verdict";
  /** Keys may be ranges and prefixes. */
  readonly interval?: true;
  /** Elements may run out. `true` without a default time, else the default in milliseconds. */
  readonly timeoutMs?: number | true;
  /** How often elements that ran out are taken out, in milliseconds. */
  readonly gcIntervalMs?: number;
  /** Rules may add elements. Such a set needs a `size`, for the kernel would choose one and tell it back. */
  readonly dynamic?: true;
  /** The kernel takes elements only until the batch that makes the set is done. */
  readonly constant?: true;
  /** The most elements it may hold. */
  readonly size?: number;
  /** Choose the set's implementation for little memory rather than for speed. */
  readonly policy?: "memory";
  /** For nft only: neighbouring intervals are one. */
  readonly autoMerge?: true;
  /** For nft only: what the fields were declared by. */
  readonly typeof?: { readonly key: readonly TypeofField[]; readonly data?: readonly TypeofField[] };
  readonly comment?: string;
}

/** The values that a list of fields holds: `["ipv4_addr", "inet_service"]` gives `[Ipv4, number]`. */
export type ValuesOf<F extends readonly FieldType[]> = { readonly [I in keyof F]: FieldValueOf<F[I]> };

/** The key of an element of a set that is no set of intervals. */
export type KeyOf<S extends SetType> = ValuesOf<S["key"]>;

/** The value of an element of a map. */
export type DataOf<S extends SetType> = S extends { readonly data: infer D extends readonly FieldType[] }
  ? ValuesOf<D>
  : never;
