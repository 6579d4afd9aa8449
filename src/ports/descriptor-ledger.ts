import * as sys from "../kernel/syscalls.ts";

/** Linux lets a process have 2^20 descriptors unless fs.nr_open was raised. */
const highest = 1 << 20;

/** A ledger's shared memory, all zeros. */
export function newLedgerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(highest / 8);
}

/**
 * Which descriptors a thread owns, in memory that outlives it: one that dies leaves its descriptors open, for
 * they are the process's, and another thread must close them.
 */
export class DescriptorLedger {
  readonly #bits: Int32Array;

  /** `memory` is of {@link newLedgerMemory}. */
  constructor(memory: SharedArrayBuffer) {
    this.#bits = new Int32Array(memory);
  }

  /** Notes a descriptor that was opened just now, and gives it. */
  own(fd: number): number {
    if (fd < highest) Atomics.or(this.#bits, fd >> 5, 1 << (fd & 31));
    return fd;
  }

  /** Closes one that was noted. Throws KernelError. */
  close(fd: number): void {
    // In this order: a death in between leaves one open, and never closes what is another's by then.
    if (fd < highest) Atomics.and(this.#bits, fd >> 5, ~(1 << (fd & 31)));
    sys.close(fd);
  }

  /** Closes all that were noted and not closed. */
  closeAll(): void {
    for (const [word, bits] of this.#bits.entries()) {
      if (bits === 0) continue;
      for (let bit = 0; bit < 32; bit++) if (bits & (1 << bit)) this.close(word * 32 + bit);
    }
  }
}
