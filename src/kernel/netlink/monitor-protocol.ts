import type { MonitorFilter } from "./datagram-filter.ts";

/** What the main thread tells the worker; a byte in the wake-up pipe makes it look. */
export type MonitorCommand =
  | {
      readonly kind: "add";
      readonly id: number;
      readonly fd: number;
      readonly inFlight: SharedArrayBuffer;
      readonly filter: MonitorFilter | undefined;
    }
  /** Answered by `removed`; the fd can be closed then. */
  | { readonly kind: "remove"; readonly id: number }
  | { readonly kind: "pause"; readonly id: number; readonly token: number }
  | { readonly kind: "resume"; readonly id: number }
  /** Answered by `flushed`, after all that was waiting in the socket. */
  | { readonly kind: "flush"; readonly id: number; readonly token: number };

/** What the worker tells the main thread. */
export type MonitorReport =
  /** Datagrams in their order. `overrun`: after the last of them the kernel had dropped some. */
  | {
      readonly kind: "batch";
      readonly id: number;
      readonly datagrams: readonly Uint8Array[];
      readonly overrun: boolean;
    }
  | { readonly kind: "removed"; readonly id: number }
  | { readonly kind: "paused" | "flushed"; readonly id: number; readonly token: number }
  /** Receiving failed for good; the socket is no longer read. */
  | { readonly kind: "failed"; readonly id: number; readonly error: string };

/** Bytes for the wake-up pipe. */
export const wakeByte = 1;
/** Ends the worker at once, without a command: for a process that exits. */
export const stopByte = 2;

/**
 * Bytes that the worker may have posted for one socket and the main thread not yet handled. Beyond it the
 * socket is left alone, so that a busy main thread costs an overrun and not the machine's memory.
 */
export const inFlightLimit = 8 * 1024 * 1024;
