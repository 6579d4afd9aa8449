import { attribute, attributes, nested } from "../attributes.ts";
import { bytes, type Codec, text, u32be, u64be } from "../wire.ts";
import type { TableFamily } from "./family.ts";
import { type ChainHook, hookAttributes, hookFromWire } from "./hook.ts";
import { compact } from "./symbols.ts";
import type { TableName } from "./table.ts";
import { commentOf } from "./userdata.ts";

/** Which chain. */
export interface ChainName extends TableName {
  readonly chain: string;
}

/** A chain as the kernel tells of it. */
export interface Chain extends ChainName {
  readonly handle: bigint;
  /** How many rules it holds and how many jumps lead to it. */
  readonly use: number;
  /** Absent for a chain that only jumps lead to. */
  readonly hook?: ChainHook;
  readonly comment?: string;
}

const policies = { drop: 0, accept: 1 } as const;

/** NFTA_CHAIN_*. */
export const chainAttributes = attributes({
  table: attribute(1, text),
  name: attribute(3, text),
  handle: attribute(2, u64be),
  hook: nested(4, hookAttributes),
  policy: attribute(5, u32be),
  type: attribute(7, text),
  use: attribute(6, u32be),
  flags: attribute(10, u32be),
  userdata: attribute(12, bytes),
});

type Wire = typeof chainAttributes extends Codec<infer T> ? T : never;

/** NF_DROP or NF_ACCEPT. */
export function policyNumber(policy: ChainHook["policy"]): number {
  return policies[policy];
}

/** The chain that a message's attributes tell of. Throws RangeError for a hook that the family does not have. */
export function chainFromWire(family: TableFamily, wire: Wire): Chain {
  return {
    family,
    table: wire.table ?? "",
    chain: wire.name ?? "",
    handle: wire.handle ?? 0n,
    use: wire.use ?? 0,
    ...compact({ hook: hookOf(family, wire), comment: commentOf(wire.userdata) }),
  };
}

function hookOf(family: TableFamily, wire: Wire): ChainHook | undefined {
  if (wire.hook === undefined) return undefined;
  const { type = "filter" } = wire;
  if (type !== "filter" && type !== "nat" && type !== "route") throw new RangeError(`no chain type ${type}`);
  const policy = wire.policy === policies.drop ? "drop" : "accept";
  return { type, ...hookFromWire(family, wire.hook), policy };
}
