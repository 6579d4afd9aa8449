import type { NameChecker } from "./compressed-names.ts";

/** Data that is a fixed number of bytes, then names, then again so many bytes, or any. */
type Shape = readonly [before: number, names: number, after: number | "any"];

/**
 * The types whose names may be compressed (RFC 1035 §3.3, RFC 3597 §4), so that readers follow pointers
 * in them; those whose names may not, but which other names of a message may point at; and addresses.
 */
const shapes: ReadonlyMap<number, Shape> = new Map([
  [1, [4, 0, 0]], // A
  [2, [0, 1, 0]], // NS
  [3, [0, 1, 0]], // MD
  [4, [0, 1, 0]], // MF
  [5, [0, 1, 0]], // CNAME
  [6, [0, 2, 20]], // SOA
  [7, [0, 1, 0]], // MB
  [8, [0, 1, 0]], // MG
  [9, [0, 1, 0]], // MR
  [12, [0, 1, 0]], // PTR
  [14, [0, 2, 0]], // MINFO
  [15, [2, 1, 0]], // MX
  [17, [0, 2, 0]], // RP
  [18, [2, 1, 0]], // AFSDB
  [21, [2, 1, 0]], // RT
  [24, [18, 1, "any"]], // SIG
  [26, [2, 2, 0]], // PX
  [28, [16, 0, 0]], // AAAA
  [30, [0, 1, "any"]], // NXT
  [33, [6, 1, 0]], // SRV
  [36, [2, 1, 0]], // KX
  [39, [0, 1, 0]], // DNAME
  [46, [18, 1, "any"]], // RRSIG
  [47, [0, 1, "any"]], // NSEC
  [64, [2, 1, "any"]], // SVCB
  [65, [2, 1, "any"]], // HTTPS
]);

const typeNaptr = 35;

/**
 * True when the data from `start` to `end` has the shape of its type. Data of other types is not looked
 * into: to whoever reads it, it is bytes, and pointers in it lead nowhere.
 */
export function rdataHolds(
  message: Uint8Array,
  type: number,
  start: number,
  end: number,
  names: NameChecker,
): boolean {
  if (type === typeNaptr) return names.end(behindNaptrTexts(message, start)) === end;
  const shape = shapes.get(type);
  if (shape === undefined) return true;
  const [before, count, after] = shape;
  let at: number | undefined = start + before;
  for (let i = 0; i < count; i++) {
    at = names.end(at);
    if (at === undefined) return false;
  }
  return after === "any" ? at <= end : at + after === end;
}

/** Behind order, preference and three texts, each with its length in one byte (RFC 3403 §4.1). */
function behindNaptrTexts(message: Uint8Array, start: number): number {
  let at = start + 4;
  for (let i = 0; i < 3; i++) at += 1 + (message[at] ?? 0);
  return at;
}
