import { u32 } from "../../wire.ts";
import { lengthOfFields } from "../concatenation.ts";
import { bytesWith } from "../datatypes.ts";
import type { Expression } from "../expressions/index.ts";
import { fieldDatatype } from "../field.ts";
import { slotCount, slotsOf } from "../registers.ts";
import { headerFields } from "./header-fields.ts";
import { fieldsOfTerm, type JenkinsTerm, type MapTerm, type Term } from "./term.ts";

/** Where a term is put, and the first slot that it may use on the way. */
interface Slots {
  readonly into: number;
  readonly free: number;
}

/** Slots are handed out as registers of 16 bytes, so that values of any length fit. */
const alignment = 4;

function aligned(slot: number): number {
  return Math.ceil(slot / alignment) * alignment;
}

/** How many slots a term takes once it is loaded. */
export function slotsOfTerm(term: Term): number {
  if (term.term === "concat") return term.parts.reduce((sum, part) => sum + slotsOfTerm(part), 0);
  return fieldsOfTerm(term).reduce((sum, field) => sum + slotsOf(fieldDatatype(field).size), 0);
}

/** The steps that load a term into the slots from 0 on. Throws RangeError when it is too long. */
export function load(term: Term): readonly Expression[] {
  const width = term.term === "map" ? keySlots(term) : slotsOfTerm(term);
  if (width > slotCount) throw new RangeError(`a key of ${width} slots: there are ${slotCount}`);
  return loadInto(term, { into: 0, free: Math.max(alignment, aligned(width)) });
}

function keySlots(term: MapTerm): number {
  return slotsOfTerm(term.key);
}

function loadInto(term: Term, slots: Slots): readonly Expression[] {
  const { into } = slots;
  switch (term.term) {
    case "meta":
      return [{ kind: "meta", key: term.key, into }];
    case "ct": {
      const { key, direction } = term;
      return [{ kind: "ct", key, into, ...(direction === undefined ? {} : { direction }) }];
    }
    case "fib":
      return [{ kind: "fib", selectors: term.selectors, result: term.result, into }];
    case "header": {
      const { base, offset, length } = headerFields[term.field];
      return [{ kind: "payload", base, offset, length, into }];
    }
    case "payload":
      return [{ kind: "payload", base: term.base, offset: term.offset, length: term.length, into }];
    case "numgen":
      return [{ kind: "numgen", mode: term.mode, modulus: term.modulus, ...shifted(term.offset), into }];
    case "symhash":
      return [{ kind: "symhash", modulus: term.modulus, ...shifted(term.offset), into }];
    case "jhash":
      return hash(term, slots);
    case "masked":
      return [...loadInto(term.of, slots), mask(into, term.mask, term.xor)];
    case "concat":
      return concatenation(term.parts, slots);
    case "map":
      return [...loadInto(term.key, slots), { kind: "lookup", set: term.map, from: into, into }];
  }
}

function shifted(offset: number): { readonly offset?: number } {
  return offset === 0 ? {} : { offset };
}

function mask(slot: number, bits: number, xor: number): Expression {
  const hex = (value: number) => bytesWith(u32, value).toString("hex");
  return { kind: "mask", from: slot, into: slot, length: u32.size, mask: hex(bits), xor: hex(xor) };
}

function hash(term: JenkinsTerm, { into, free }: Slots): readonly Expression[] {
  const end = free + slotsOfTerm(term.of);
  if (end > slotCount) throw new RangeError("no registers left for what is hashed");
  // The padding of each part is hashed too; it is zero.
  const length = lengthOfFields(fieldsOfTerm(term.of));
  const { modulus, offset, seed } = term;
  return [
    ...loadInto(term.of, { into: free, free: aligned(end) }),
    {
      kind: "jhash",
      from: free,
      length,
      modulus,
      into,
      ...shifted(offset),
      ...(seed === undefined ? {} : { seed }),
    },
  ];
}

function concatenation(parts: readonly Term[], { into, free }: Slots): readonly Expression[] {
  let slot = into;
  return parts.flatMap((part) => {
    const steps = loadInto(part, { into: slot, free });
    slot += slotsOfTerm(part);
    return steps;
  });
}
