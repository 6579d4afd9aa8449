import { attribute, attributes, nested } from "../attributes.ts";
import { bytes, type Codec, text, u32be, u64be } from "../wire.ts";
import type { ChainName } from "./chain.ts";
import { type Expression, expressionList } from "./expressions/index.ts";
import type { TableFamily } from "./family.ts";
import { compact } from "./symbols.ts";
import { commentOf } from "./userdata.ts";

/** A rule as the kernel tells of it. */
export interface Rule extends ChainName {
  /** By which it is replaced and deleted; unique in its table and never used again. */
  readonly handle: bigint;
  /** The handle of the rule before it. */
  readonly position?: bigint;
  readonly expressions: readonly Expression[];
  readonly comment?: string;
}

/** NFTA_RULE_*. */
export const ruleAttributes = attributes({
  table: attribute(1, text),
  chain: attribute(2, text),
  handle: attribute(3, u64be),
  position: attribute(6, u64be),
  expressions: nested(4, expressionList),
  userdata: attribute(7, bytes),
  id: attribute(9, u32be),
});

type Wire = typeof ruleAttributes extends Codec<infer T> ? T : never;

/** The rule that a message's attributes tell of. */
export function ruleFromWire(family: TableFamily, wire: Wire): Rule {
  return {
    family,
    table: wire.table ?? "",
    chain: wire.chain ?? "",
    handle: wire.handle ?? 0n,
    expressions: wire.expressions ?? [],
    ...compact({ position: wire.position, comment: commentOf(wire.userdata) }),
  };
}
