import { isKernelError } from "../kernel-error.ts";
import * as sys from "../syscalls.ts";
import { discardAll, openListener } from "./listen.ts";
import { type NetlinkMessage, readMessages } from "./message.ts";

/** Room for what is told between two drains, bytes. */
const receiveBufferBytes = 8 * 1024 * 1024;

/**
 * A socket that multicast groups tell of changes, read without a thread and without waiting: for those
 * who only want to know what has changed when they next look. See NetlinkMonitor for being told.
 */
export class MulticastSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(64 * 1024);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Joins `groups` (RTNLGRP_*) of `family` in the calling thread's namespace. Throws KernelError. */
  static open(family: number, groups: readonly number[]): MulticastSocket {
    return new MulticastSocket(openListener(family, groups, receiveBufferBytes));
  }

  /**
   * Everything that was told since the last drain. A message holds until the next one is asked for.
   * Throws KernelError, ENOBUFS when the kernel had to drop some: then all has to be read anew, and
   * what was still waiting is gone.
   */
  *drain(): Generator<NetlinkMessage> {
    for (;;) {
      let length: number | undefined;
      try {
        length = sys.recvNow(this.#fd, this.#buffer, "multicast");
      } catch (error) {
        if (isKernelError(error, "EINTR")) continue;
        if (isKernelError(error, "ENOBUFS")) discardAll(this.#fd);
        throw error;
      }
      if (length === undefined) return;
      yield* readMessages(this.#buffer.subarray(0, length));
    }
  }

  close(): void {
    sys.close(this.#fd);
  }
}
