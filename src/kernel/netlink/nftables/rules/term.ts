import type {
  CtDirection,
  CtKey,
  FibResult,
  FibSelector,
  MetaKey,
  PayloadBase,
} from "../expressions/index.ts";
import type { FieldType } from "../field.ts";
import { type HeaderFieldName, headerFields } from "./header-fields.ts";
import { ctTypes, metaTypes } from "./key-types.ts";

/** Something that a rule reads: of the packet, of its flow, or made for it. Plain data. */
export type Term =
  | { readonly term: "meta"; readonly key: MetaKey }
  | { readonly term: "ct"; readonly key: CtKey; readonly direction?: CtDirection }
  | { readonly term: "fib"; readonly selectors: readonly FibSelector[]; readonly result: FibResult }
  | { readonly term: "header"; readonly field: HeaderFieldName }
  | { readonly term: "payload"; readonly base: PayloadBase; readonly offset: number; readonly length: number }
  | {
      readonly term: "numgen";
      readonly mode: "inc" | "random";
      readonly modulus: number;
      readonly offset: number;
    }
  | JenkinsTerm
  | { readonly term: "symhash"; readonly modulus: number; readonly offset: number }
  | { readonly term: "masked"; readonly of: Term; readonly mask: number; readonly xor: number }
  | { readonly term: "concat"; readonly parts: readonly Term[] }
  | MapTerm;

/** A hash of another term. */
export interface JenkinsTerm {
  readonly term: "jhash";
  readonly of: Term;
  readonly modulus: number;
  readonly offset: number;
  /** Drawn by the kernel when absent. */
  readonly seed?: number;
}

/** What a map holds for a term. */
export interface MapTerm {
  readonly term: "map";
  readonly key: Term;
  readonly map: string;
  /** What the map's data is; needed where a rule does not tell it, as `dnat` does. */
  readonly data?: readonly FieldType[];
}

/** A property of the packet: its interfaces, mark, protocol. */
export function meta(key: MetaKey): Term {
  return { term: "meta", key };
}

/** A property of the packet's flow, of one direction where the two differ. */
export function ct(key: CtKey, direction?: CtDirection): Term {
  return direction === undefined ? { term: "ct", key } : { term: "ct", key, direction };
}

/**
 * What the routing table says of the packet: `fib("daddr", "type")`, `fib(["saddr", "iif"], "oif")`. The
 * result "present" asks only whether there is a route.
 */
export function fib(selectors: FibSelector | readonly FibSelector[], result: FibResult | "present"): Term {
  const list = typeof selectors === "string" ? [selectors] : selectors;
  if (result === "present") return { term: "fib", selectors: [...list, "present"], result: "oif" };
  return { term: "fib", selectors: list, result };
}

/** A field of a header by its name; what must be known before it can be read is matched first. */
export function payload(field: HeaderFieldName): Term {
  return { term: "header", field };
}

/** `@th,96,24`: bytes at a place in a header, with no check of what protocol it is. Offset and length in bits. */
export function payloadBits(base: PayloadBase, offsetBits: number, lengthBits: number): Term {
  if (offsetBits % 8 !== 0 || lengthBits % 8 !== 0)
    throw new RangeError(`@${base},${offsetBits},${lengthBits}: only whole bytes can be loaded`);
  return { term: "payload", base, offset: offsetBits / 8, length: lengthBits / 8 };
}

/** A number from `offset` up, below `offset + modulus`, made for each packet. */
export function numgen(mode: "inc" | "random", modulus: number, offset = 0): Term {
  return { term: "numgen", mode, modulus, offset };
}

/** A hash of `of`: the same number for the same value. Give a seed where it must outlast the rule. */
export function jhash(
  of: Term,
  modulus: number,
  options: { readonly seed?: number; readonly offset?: number } = {},
): Term {
  const { seed, offset = 0 } = options;
  return { term: "jhash", of, modulus, offset, ...(seed === undefined ? {} : { seed }) };
}

/** A hash that is the same for both directions of a flow. */
export function symhash(modulus: number, offset = 0): Term {
  return { term: "symhash", modulus, offset };
}

/** The bits of `mask` of a term of four bytes in host order, a mark. */
export function masked(of: Term, mask: number): Term {
  return { term: "masked", of, mask: mask >>> 0, xor: 0 };
}

/** A mark with the bits of `mask` replaced by `bits`. */
export function withBits(of: Term, bits: number, mask = bits): Term {
  return { term: "masked", of, mask: ~mask >>> 0, xor: (bits & mask) >>> 0 };
}

/** Several terms as one key: nft's `a . b`. */
export function concat(...parts: readonly Term[]): Term {
  return { term: "concat", parts };
}

/** What the map of that name holds for `key`; the rule goes no further when it holds nothing. */
export function map(key: Term, name: string, data?: readonly FieldType[]): MapTerm {
  return { term: "map", key, map: name, ...(data === undefined ? {} : { data }) };
}

/** What a term holds: one field, or several for a concatenation. Throws RangeError for a map of unknown data. */
export function fieldsOfTerm(term: Term): readonly FieldType[] {
  switch (term.term) {
    case "meta":
      return [metaTypes[term.key]];
    case "ct":
      return [ctTypes[term.key]];
    case "fib":
      return [fibType(term.selectors, term.result)];
    case "header":
      return [headerFields[term.field].type];
    case "payload":
      return [{ integer: term.length * 8 }];
    case "numgen":
    case "jhash":
    case "symhash":
      return [{ integer: 32, order: "host" }];
    case "masked":
      return fieldsOfTerm(term.of);
    case "concat":
      return term.parts.flatMap(fieldsOfTerm);
    case "map":
      if (term.data === undefined) throw new RangeError(`say what the data of map ${term.map} is`);
      return term.data;
  }
}

function fibType(selectors: readonly FibSelector[], result: FibResult): FieldType {
  if (selectors.includes("present")) return "fib_presence";
  if (result === "type") return "fib_addrtype";
  return result === "oif" ? "iface_index" : "ifname";
}
