import { familyOf } from "../../../core/index.ts";
import { isKernelError } from "../../kernel-error.ts";
import { attribute, attributes } from "../attributes.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import { splitHeader, withHeader } from "../nfnetlink.ts";
import type { NetlinkSocket } from "../socket.ts";
import { u32be } from "../wire.ts";
import { decodeFlow, type Flow, flowAttributes, tupleToWire } from "./flow.ts";
import { type FlowFilter, flowDump, matchesFlow } from "./flow-filter.ts";
import { type FlowHints, mayBeWanted } from "./flow-hints.ts";
import { familyNumber, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET_STATS, messageType } from "./protocol.ts";

/** Deletions of one datagram. Refusals wait in the socket's buffer, and so many of them fit. */
const deletionsAtOnce = 1000;

/** The flows of the socket's namespace that the filter is true of. Throws KernelError. */
export function listFlows(socket: NetlinkSocket, filter: FlowFilter = {}): Flow[] {
  return socket.dump(flowDump(filter), matching(filter));
}

/**
 * {@link listFlows} on another thread: the kernel goes through all flows of all namespaces, 10 ms at its defaults.
 * With `hints` those flows alone that they are true of, and others perhaps: the rest are not decoded.
 */
export function listFlowsSlowly(
  socket: NetlinkSocket,
  filter: FlowFilter,
  hints?: FlowHints,
): Promise<Flow[]> {
  const matches = matching(filter);
  if (hints === undefined) return socket.dumpSlow(flowDump(filter), matches);
  const mayBe = mayBeWanted(hints);
  return socket.dumpSlow(flowDump(filter), (message) =>
    mayBe(message.payload) ? matches(message) : undefined,
  );
}

function matching(filter: FlowFilter): (message: NetlinkMessage) => Flow | undefined {
  return (message) => {
    const flow = decodeFlow(message);
    return flow !== undefined && matchesFlow(filter, flow) ? flow : undefined;
  };
}

/** CTA_STATS_GLOBAL_*. */
const statistics = attributes({ entries: attribute(1, u32be) });

/** How many flows the socket's namespace has, at no cost; undefined when the kernel does not tell. Throws KernelError. */
export function countFlows(socket: NetlinkSocket): number | undefined {
  const request: NetlinkRequest = {
    type: messageType(IPCTNL_MSG_CT_GET_STATS),
    flags: 0,
    call: "IPCTNL_MSG_CT_GET_STATS",
    object: "flows",
    body: withHeader(familyNumber(undefined), 0, statistics, {}),
  };
  return socket.get(request, (message) => statistics.read(splitHeader(message).attributes).entries, []);
}

/** Makes the kernel forget just this flow. ENOENT when it has ended, also where one with another id has its tuples. */
export function deleteFlow({ id, original, zone }: Flow): NetlinkRequest {
  const { source, destination, protocol } = original;
  return {
    type: messageType(IPCTNL_MSG_CT_DELETE),
    flags: 0,
    call: "IPCTNL_MSG_CT_DELETE",
    object: `flow ${source} ${destination} protocol ${protocol}`,
    body: withHeader(familyNumber(familyOf(source)), 0, flowAttributes, {
      original: tupleToWire(original),
      id,
      zone,
    }),
  };
}

/** Makes the kernel forget the flows; gives how many it still had. Throws KernelError. */
export function deleteFlows(socket: NetlinkSocket, flows: readonly Flow[]): number {
  let deleted = 0;
  for (let at = 0; at < flows.length; at += deletionsAtOnce) {
    for (const outcome of socket.request(flows.slice(at, at + deletionsAtOnce).map(deleteFlow))) {
      if (outcome === undefined) deleted++;
      else if (!isKernelError(outcome, "ENOENT")) throw outcome;
    }
  }
  return deleted;
}
