import { messageOf } from "../../core/index.ts";
import type { ClusterDelegate } from "../cluster.ts";
import type { GossipLog } from "../environment.ts";
import type { GossipCounters } from "./counters.ts";
import type { MembershipHooks } from "./hooks.ts";

const nothing: Uint8Array = new Uint8Array(0);

/** Calls into the layer above: what it throws is logged and counted, and membership goes on. */
export class Guard {
  readonly #log: GossipLog;
  readonly #counters: GossipCounters;

  constructor(log: GossipLog, counters: GossipCounters) {
    this.#log = log;
    this.#counters = counters;
  }

  call<T>(what: string, work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      this.#counters.delegateFailures++;
      this.#log.warn("the layer above gossip failed", { what, error: messageOf(error) });
      return otherwise;
    }
  }
}

/** `delegate` behind a guard; one that says and hears nothing when there is none. */
export function guardedDelegate(delegate: ClusterDelegate | undefined, guard: Guard): ClusterDelegate {
  if (delegate === undefined) return silent;
  return {
    meta: (limit) => guard.call("meta", () => delegate.meta(limit), nothing),
    received: (bytes) => guard.call("received", () => delegate.received(bytes), undefined),
    broadcasts: (overhead, limit) => guard.call("broadcasts", () => delegate.broadcasts(overhead, limit), []),
    localState: (join) => guard.call("localState", () => delegate.localState(join), nothing),
    mergeState: (bytes, join) => guard.call("mergeState", () => delegate.mergeState(bytes, join), undefined),
    joined: (member) => guard.call("joined", () => delegate.joined(member), undefined),
    gone: (member) => guard.call("gone", () => delegate.gone(member), undefined),
    updated: (member) => guard.call("updated", () => delegate.updated(member), undefined),
  };
}

const silent: ClusterDelegate = {
  meta: () => nothing,
  received: () => {},
  broadcasts: () => [],
  localState: () => nothing,
  mergeState: () => {},
  joined: () => {},
  gone: () => {},
  updated: () => {},
};

/** `hooks` behind a guard. */
export function guardedHooks(hooks: MembershipHooks, guard: Guard): MembershipHooks {
  const { conflict, ackPayload, pinged, refuseAlive, refuseMerge } = hooks;
  return {
    ...(conflict && { conflict: (a, b) => guard.call("conflict", () => conflict(a, b), undefined) }),
    ...(ackPayload && { ackPayload: () => guard.call("ackPayload", () => ackPayload(), nothing) }),
    ...(pinged && { pinged: (m, t, p) => guard.call("pinged", () => pinged(m, t, p), undefined) }),
    ...(refuseAlive && { refuseAlive: (m) => guard.call("refuseAlive", () => refuseAlive(m), undefined) }),
    ...(refuseMerge && { refuseMerge: (m) => guard.call("refuseMerge", () => refuseMerge(m), undefined) }),
  };
}
