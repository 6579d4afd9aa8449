import { type Family, familyOf } from "../../../core/index.ts";
import type { NetlinkRequest } from "../message.ts";
import { withHeader } from "../nfnetlink.ts";
import { type Flow, type FlowTuple, flowAttributes, type TupleParts, tupleToWire } from "./flow.ts";
import { familyNumber, IPCTNL_MSG_CT_GET, messageType } from "./protocol.ts";

/** What a direction of a flow has to be like. All that is absent is any. */
export type TupleFilter = Pick<TupleParts, "source" | "destination" | "sourcePort" | "destinationPort">;

/** Which flows. All that is absent is any. */
export interface FlowFilter {
  readonly family?: Family | undefined;
  /** IPPROTO_*. */
  readonly protocol?: number | undefined;
  readonly original?: TupleFilter | undefined;
  readonly reply?: TupleFilter | undefined;
}

/** CTA_FILTER_F_* of net/netfilter/nf_conntrack_netlink.c. */
const flagOf = { source: 1, destination: 2, protocol: 8, sourcePort: 16, destinationPort: 32 } as const;

/**
 * Asks for the flows that the filter is true of, as far as the kernel can tell: it compares nothing
 * without a family, and no ports without a protocol; one before 5.8 compares the family only. IPv6
 * addresses are not left to it: it would give those flows that have another one (seen on 6.18).
 */
export function flowDump(filter: FlowFilter): NetlinkRequest {
  const family = filter.family ?? familyOfFilter(filter);
  const { protocol } = filter;
  const original = narrowed(family, protocol, filter.original);
  const reply = narrowed(family, undefined, filter.reply);
  const narrow = family !== undefined && (original.flags !== 0 || reply.flags !== 0);
  return {
    type: messageType(IPCTNL_MSG_CT_GET),
    flags: 0,
    call: "IPCTNL_MSG_CT_GET",
    object: "flows",
    body: withHeader(familyNumber(family), 0, flowAttributes, {
      original: narrow && original.flags !== 0 ? tupleToWire(original.tuple) : undefined,
      reply: narrow && reply.flags !== 0 ? tupleToWire(reply.tuple) : undefined,
      filter: narrow ? { original: original.flags, reply: reply.flags } : undefined,
    }),
  };
}

function familyOfFilter({ original, reply }: FlowFilter): Family | undefined {
  const address = original?.source ?? original?.destination ?? reply?.source ?? reply?.destination;
  return address === undefined ? undefined : familyOf(address);
}

/** The parts of a direction that the kernel can compare, and the flags that tell it to. */
function narrowed(family: Family | undefined, protocol: number | undefined, filter: TupleFilter = {}) {
  const { source, destination } = family === 4 ? filter : {};
  const ports =
    protocol === undefined ? {} : { sourcePort: filter.sourcePort, destinationPort: filter.destinationPort };
  const tuple: TupleParts = { source, destination, protocol, ...ports };
  let flags = 0;
  // Object.keys forgets that the keys are those of flagOf.
  for (const part of Object.keys(flagOf) as (keyof typeof flagOf)[])
    if (tuple[part] !== undefined) flags |= flagOf[part];
  return { tuple, flags };
}

/** True when the filter is true of the flow. */
export function matchesFlow(filter: FlowFilter, { original, reply }: Flow): boolean {
  const { family, protocol } = filter;
  return (
    (family === undefined || familyOf(original.source) === family) &&
    (protocol === undefined || original.protocol === protocol) &&
    matchesTuple(filter.original, original) &&
    matchesTuple(filter.reply, reply)
  );
}

function matchesTuple(filter: TupleFilter = {}, tuple: FlowTuple): boolean {
  const { source, destination, sourcePort, destinationPort } = filter;
  return (
    (source === undefined || source === tuple.source) &&
    (destination === undefined || destination === tuple.destination) &&
    (sourcePort === undefined || sourcePort === tuple.sourcePort) &&
    (destinationPort === undefined || destinationPort === tuple.destinationPort)
  );
}
