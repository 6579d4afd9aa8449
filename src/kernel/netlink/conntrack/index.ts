/**
 * Connection tracking by netlink: the flows that the kernel knows, narrowed down by the kernel where it
 * can, and forgetting exactly those. Layouts of include/uapi/linux/netfilter/nfnetlink_conntrack.h.
 *
 * @module
 */

export { decodeFlow, type Flow, type FlowTuple, type IcmpQuery } from "./flow.ts";
export { type FlowFilter, matchesFlow, type TupleFilter } from "./flow-filter.ts";
export type { FlowHints } from "./flow-hints.ts";
export { countFlows, deleteFlow, deleteFlows, listFlows, listFlowsSlowly } from "./flows.ts";
