import { isKernelError } from "../../kernel-error.ts";
import type { NetlinkMessage, NetlinkRequest } from "../message.ts";
import type { NetlinkSocket } from "../socket.ts";

/** A dump that the kernel narrows, with the means to narrow it here when the kernel does not know how. */
export interface FilteredDump<T> {
  /** Asks for what is wanted only. */
  readonly narrow: NetlinkRequest;
  /** Asks for everything; for kernels before 4.20 and filters that a family refuses. */
  readonly wide: NetlinkRequest;
  readonly decode: (message: NetlinkMessage) => T | undefined;
  readonly wanted: (value: T) => boolean;
}

/**
 * Carries out a narrowed dump. What the kernel gives too much is dropped. A filter on a link or table
 * that is not there finds nothing (ENODEV, ENOENT are no error). Throws KernelError for other refusals.
 */
export function dumpFiltered<T>(socket: NetlinkSocket, dump: FilteredDump<T>): T[] {
  const keep = (message: NetlinkMessage) => {
    const value = dump.decode(message);
    return value !== undefined && dump.wanted(value) ? value : undefined;
  };
  try {
    return socket.dump(dump.narrow, keep);
  } catch (error) {
    if (isKernelError(error, "ENODEV", "ENOENT")) return [];
    if (dump.wide === dump.narrow || !isKernelError(error, "EINVAL", "EOPNOTSUPP")) throw error;
    return socket.dump(dump.wide, keep);
  }
}
