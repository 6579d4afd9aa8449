import type { InterfaceAddress } from "../core/index.ts";
import type { HeldAddress } from "../kernel/index.ts";

/** What a controller tells about what happens by itself. */
export type ControllerEvent =
  /** Something given up could not be taken out of the kernel; it is tried again at the next start. */
  | { readonly event: "removal-failed"; readonly what: string; readonly error: unknown }
  /** A part of the host could not be made what it should be when the controller was opened. */
  | { readonly event: "restore-failed"; readonly what: string; readonly error: unknown }
  /** A write that nobody waited for failed; it is tried again with the next one. */
  | { readonly event: "write-failed"; readonly what: string; readonly error: unknown }
  /** A published port could not be had: another program has the host's port. What drifted shows it. */
  | { readonly event: "port-lost"; readonly what: string; readonly error: unknown }
  /** Somebody changed what is weft's on the host, and it was put right. `by` is the program that changed rules. */
  | {
      readonly event: "repaired";
      readonly by: string | undefined;
      readonly what: readonly string[];
      readonly failures: readonly { readonly what: string; readonly error: unknown }[];
    }
  /** What changed on the host could not be followed everywhere. */
  | { readonly event: "follow-failed"; readonly what: string; readonly error: unknown }
  | { readonly event: "effect-failed"; readonly what: string; readonly error: unknown }
  /** Others on a network's wire have addresses that weft was about to give an endpoint, which got others instead. */
  | {
      readonly event: "address-conflict";
      readonly what: string;
      readonly held: readonly HeldAddress[];
      readonly taken: readonly InterfaceAddress[];
    }
  /**
   * The thread that answers names has ended unasked, another one takes its place; or a sandbox's resolver could
   * not be opened again for that one.
   */
  | { readonly event: "resolver-crashed"; readonly error: unknown }
  /** The thread that serves published ports where no rule can has ended unasked; another one takes its place. */
  | { readonly event: "proxies-crashed"; readonly error: unknown };
