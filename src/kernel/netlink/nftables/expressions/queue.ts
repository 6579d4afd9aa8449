import { attribute } from "../../attributes.ts";
import { u16be } from "../../wire.ts";
import { exactly } from "../exact.ts";
import { type Register, register } from "../registers.ts";
import { compact, flagBits, flagNames } from "../symbols.ts";
import { expressionCodec, unless } from "./codec.ts";

/** NFT_QUEUE_FLAG_*. */
const queueFlags = { bypass: 1, fanout: 2 } as const;

/** Hands the packet to user space: to one of `total` queues from `number` on, or to the one in a register. */
export interface Queue {
  readonly kind: "queue";
  readonly number?: number;
  /** 1 when absent. */
  readonly total?: number;
  readonly from?: Register;
  readonly flags?: readonly (keyof typeof queueFlags)[];
}

/** NFTA_QUEUE_*. */
export const queueCodec = expressionCodec(
  "queue",
  exactly({
    number: attribute(1, u16be),
    total: attribute(2, u16be),
    flags: attribute(3, u16be),
    from: attribute(4, register),
  }),
  (e: Queue) => ({ ...e, flags: flagBits(queueFlags, e.flags) }),
  (wire): Queue => {
    const flags = flagNames(queueFlags, wire.flags ?? 0);
    return {
      kind: "queue",
      ...compact({
        number: wire.number,
        total: unless(wire.total, 1),
        from: wire.from,
        flags: flags.length === 0 ? undefined : flags,
      }),
    };
  },
);
