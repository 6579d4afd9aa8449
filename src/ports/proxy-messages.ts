import type { ErrorCode } from "../core/index.ts";
import type { PortProxy, ProxyStats } from "./port-proxies.ts";
import type { ProxyLimits } from "./proxy-limits.ts";

/** What is asked of the worker and answered by it, in the order in which it was asked. */
export type ProxyRequest =
  | { readonly kind: "serve"; readonly proxies: readonly PortProxy[] }
  | { readonly kind: "stop"; readonly ids: readonly string[] }
  | { readonly kind: "stats" }
  | { readonly kind: "close" };

/** A message to the worker. `call` comes back in the answer. */
export type ToProxyWorker = ProxyRequest & { readonly call: number };

/** A message from the worker. Errors cross as what they are made of. */
export type FromProxyWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly call: number; readonly stats?: ProxyStats }
  | { readonly kind: "failed"; readonly call: number; readonly code: ErrorCode; readonly message: string };

/** What the worker is started with. */
export interface ProxyWorkerStart {
  /** The namespace in which connections to targets start. */
  readonly netnsPath: string;
  readonly limits: ProxyLimits;
  /** An eventfd: written to when there is a message, or {@link ending} was set. */
  readonly wakeFd: number;
  /** One shared number; 1 means that the thread must end at once, for the process ends. */
  readonly ending: Int32Array;
  /** Of newLedgerMemory: the descriptors that the worker owns, for whoever survives it. */
  readonly ledger: SharedArrayBuffer;
}
