import type { ErrorCode, Id } from "../core/index.ts";
import type { DnsStats } from "./dns-host.ts";
import type { Forwarding } from "./forward/index.ts";
import type { Publication } from "./name-table.ts";
import type { NameLink, NetworkRef } from "./name-view.ts";
import type { ServerFds } from "./server.ts";

/** What is asked of the worker and answered by it. */
export type Request =
  | { readonly kind: "serve"; readonly sandbox: Id; readonly fds: ServerFds }
  | { readonly kind: "stop"; readonly sandbox: Id }
  | { readonly kind: "flush" }
  | { readonly kind: "stats" }
  | { readonly kind: "close" };

/** What the worker is told. Both kinds of message take effect in the order in which they were sent. */
export type Order =
  | {
      readonly kind: "view";
      readonly sandbox: Id;
      readonly networks: readonly NetworkRef[];
      readonly links: readonly NameLink[];
    }
  | { readonly kind: "forward"; readonly sandbox: Id; readonly forwarding: Forwarding }
  | { readonly kind: "flush-cache" }
  | {
      readonly kind: "publish";
      readonly network: Id;
      readonly endpoint: Id;
      readonly publication: Publication;
    }
  | { readonly kind: "withdraw"; readonly network: Id; readonly endpoint: Id };

/** A message to the worker, to which they come by the list. `call` comes back in the answer. */
export type ToWorker = Order | (Request & { readonly call: number });

/** A message from the worker. Errors cross as what they are made of. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly call: number; readonly stats?: DnsStats }
  | { readonly kind: "failed"; readonly call: number; readonly code: ErrorCode; readonly message: string };

/** What the worker is started with. */
export interface WorkerStart {
  /**
   * One shared number: the greatest `call` that the worker has begun to work on. After a crash it
   * tells which descriptors the worker never took, for whoever sent them to close.
   */
  readonly begun: Int32Array;
}
