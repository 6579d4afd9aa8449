import { attribute, attributes } from "../attributes.ts";
import { bytes, type Codec, text, u32be, u64be } from "../wire.ts";
import type { TableFamily } from "./family.ts";
import { compact, flagNames } from "./symbols.ts";
import { commentOf } from "./userdata.ts";

/** NFT_TABLE_F_*: a dormant table judges nothing; an owned one goes with its owner's socket. */
export const tableFlags = { dormant: 1, owner: 2, persist: 4 } as const;

/** NFT_TABLE_F_* by name. */
export type TableFlag = keyof typeof tableFlags;

/** Which table. */
export interface TableName {
  readonly family: TableFamily;
  readonly table: string;
}

/** A table as the kernel tells of it. */
export interface Table extends TableName {
  readonly handle: bigint;
  /** How many chains, sets and other objects it holds. */
  readonly use: number;
  readonly flags?: readonly TableFlag[];
  readonly comment?: string;
}

/** NFTA_TABLE_*. */
export const tableAttributes = attributes({
  name: attribute(1, text),
  flags: attribute(2, u32be),
  use: attribute(3, u32be),
  handle: attribute(4, u64be),
  userdata: attribute(6, bytes),
  owner: attribute(7, u32be),
});

type Wire = typeof tableAttributes extends Codec<infer T> ? T : never;

/** The table that a message's attributes tell of. */
export function tableFromWire(family: TableFamily, wire: Wire): Table {
  const bits = (wire.flags ?? 0) & (tableFlags.dormant | tableFlags.owner | tableFlags.persist);
  const names = flagNames(tableFlags, bits);
  return {
    family,
    table: wire.name ?? "",
    handle: wire.handle ?? 0n,
    use: wire.use ?? 0,
    ...compact({ flags: names.length === 0 ? undefined : names, comment: commentOf(wire.userdata) }),
  };
}

/** How an error speaks of a table or of something in it: `chain inet weft forward`. */
export function describe(what: string, { family, table }: TableName, ...rest: readonly string[]): string {
  return [what, family, table, ...rest].join(" ");
}
