import { release } from "node:os";
import type { Clock } from "../core/index.ts";
import { inNetnsAt, isKernelError } from "../kernel/index.ts";
import * as sys from "../kernel/syscalls.ts";
import { openExitEvents, tellExits } from "./exit-events.ts";
import { ExitTable } from "./exit-table.ts";

/** The first kernel that tells by a pidfd how its process ended (PIDFD_INFO_EXIT). */
const tellingSince = [6, 15] as const;

/**
 * When to look for the exit of a process that has ended, ms after its end was told, which comes first. What has not
 * come at the last look is lost.
 */
const looks = [10, 50, 250] as const;

/** What an {@link ExitHearing} gives to the thread that reads. */
export interface ExitHearingStart {
  readonly fd: number;
  readonly memory: SharedArrayBuffer;
}

/**
 * Knows how processes ended that are no children of this one, where a pidfd does not tell: on Linux before 6.15. The
 * kernel is asked to tell of exits for as long as any process is followed.
 */
export class ExitHearing {
  readonly #fd: number;
  readonly #table = new ExitTable();
  readonly #clock: Clock;
  #followed = 0;
  #closed = false;

  private constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
  }

  /** Null where the kernel does not tell this process of exits. Throws KernelError when there is no room for a socket. */
  static open(clock: Clock): ExitHearing | null {
    const fd = openExitEvents() ?? inFirstNetns(() => openExitEvents());
    return fd === undefined ? null : new ExitHearing(fd, clock);
  }

  /** For the thread that is to listen. */
  get start(): ExitHearingStart {
    return { fd: this.#fd, memory: this.#table.memory };
  }

  /** Process `pid`, which has not ended, will be asked for. Throws KernelError. */
  follow(pid: number): void {
    if (this.#followed === 0) tellExits(this.#fd, true);
    this.#followed++;
    this.#table.forget(pid);
  }

  /** A process that was followed is not any more. */
  leave(): void {
    this.#followed--;
    if (this.#followed === 0 && !this.#closed) this.#ignore();
  }

  /** The wait status of process `pid`, which was followed and has ended; undefined when the kernel had no room to tell. */
  async waitStatusOf(pid: number): Promise<number | undefined> {
    let waited = 0;
    for (const look of looks) {
      await this.#clock.sleep(look - waited);
      waited = look;
      const exit = this.#table.find(pid);
      if (exit?.isWhole) return exit.waitStatus;
    }
    return this.#table.find(pid)?.waitStatus;
  }

  /** To be called once, when the thread has ended. What has not been heard by then is not any more. */
  close(): void {
    this.#closed = true;
    if (this.#followed > 0) this.#ignore();
    sys.close(this.#fd);
  }

  #ignore(): void {
    try {
      tellExits(this.#fd, false);
    } catch (error) {
      if (!isKernelError(error)) throw error; // no memory: what is told is read, and nobody asks
    }
  }
}

/** Whether this kernel tells by a pidfd how its process ended, whoever its parent is. */
export function pidfdTellsExit(version = release()): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [sinceMajor, sinceMinor] = tellingSince;
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** Where the kernel's side of the process connector is. */
function inFirstNetns<T>(work: () => T): T | undefined {
  try {
    return inNetnsAt("/proc/1/ns/net", work);
  } catch (error) {
    // Process 1 may have more rights than this one, or be in a mount of /proc that hides it.
    if (isKernelError(error, "EACCES", "EPERM", "ENOENT")) return undefined;
    throw error;
  }
}
