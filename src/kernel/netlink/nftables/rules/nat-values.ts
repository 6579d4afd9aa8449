import type { Expression } from "../expressions/index.ts";
import type { FieldType } from "../field.ts";
import { boundsOf, type KeyPart } from "../interval.ts";

/** Steps that load values, where they then are, and the next free register. */
interface Loaded<S> {
  readonly loads: readonly Expression[];
  readonly slots: S;
  readonly next: number;
}

/** Each value gets a register of 16 bytes, four slots. */
const registerSlots = 4;

function loadPart(field: FieldType, part: KeyPart | undefined, from: number): Loaded<readonly number[]> {
  if (part === undefined) return { loads: [], slots: [], next: from };
  const { low, high } = boundsOf(field, part);
  const values = low.equals(high) ? [low] : [low, high];
  const slots = values.map((_, i) => from + i * registerSlots);
  const loads = values.map((value, i): Expression => {
    return { kind: "immediate", into: slots[i] ?? from, value: value.toString("hex") };
  });
  return { loads, slots, next: from + values.length * registerSlots };
}

/** Loads the address, or both ends of a range, that something is rewritten to. */
export function natAddress(
  family: "ip" | "ip6",
  part: KeyPart | undefined,
): Loaded<{ readonly address?: number; readonly addressEnd?: number }> {
  const { loads, slots, next } = loadPart(family === "ip" ? "ipv4_addr" : "ipv6_addr", part, 0);
  const [address, addressEnd] = slots;
  const given = address === undefined ? {} : { address };
  return { loads, next, slots: addressEnd === undefined ? given : { ...given, addressEnd } };
}

/** Loads the port, or both ends of a range, from the register `from` on. */
export function inetPort(
  part: KeyPart | undefined,
  from: number,
): Loaded<{ readonly port?: number; readonly portEnd?: number }> {
  const { loads, slots, next } = loadPart("inet_service", part, from);
  const [port, portEnd] = slots;
  const given = port === undefined ? {} : { port };
  return { loads, next, slots: portEnd === undefined ? given : { ...given, portEnd } };
}
