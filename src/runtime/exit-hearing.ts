import { release } from "node:os";
import type { Clock } from "../core/index.ts";
import { inNetnsAt, isKernelError } from "../kernel/index.ts";
import { closeExitEvents, openExitEvents } from "./exit-events.ts";
import { ExitRing } from "./exit-ring.ts";

/** Kernels that tell by a pidfd how its process ended (PIDFD_INFO_EXIT). */
const tellingSince = [6, 15] as const;

/**
 * When to look for the exit of a process that has ended, ms after its end was told: that comes first, and which of
 * several threads was the last is seen when no other comes. What has not come then is lost.
 */
const looks = [10, 50, 250] as const;

/** What `ExitHearing` gives to the thread that reads. */
export interface ExitHearingStart {
  readonly fd: number;
  readonly memory: SharedArrayBuffer;
}

/** Knows how processes ended that are no children of this one, where a pidfd does not tell: on Linux before 6.15. */
export class ExitHearing {
  readonly #fd: number;
  readonly #ring = new ExitRing();
  readonly #clock: Clock;

  private constructor(fd: number, clock: Clock) {
    this.#fd = fd;
    this.#clock = clock;
  }

  /** Null where the kernel does not tell this process of exits. */
  static open(clock: Clock): ExitHearing | null {
    const fd = openExitEvents() ?? inFirstNetns(() => openExitEvents());
    return fd === undefined ? null : new ExitHearing(fd, clock);
  }

  /** For the thread that is to listen. */
  get start(): ExitHearingStart {
    return { fd: this.#fd, memory: this.#ring.memory };
  }

  /** Exits heard of so far, machine-wide. */
  get count(): bigint {
    return this.#ring.count;
  }

  /** The wait status of process `pid`, which has ended after `since` exits; undefined when the kernel had no room to tell. */
  async waitStatusOf(pid: number, since: bigint): Promise<number | undefined> {
    let waited = 0;
    for (const look of looks) {
      await this.#clock.sleep(look - waited);
      waited = look;
      const waitStatus = this.#ring.find(pid, since);
      if (waitStatus !== undefined) return waitStatus;
    }
    return undefined;
  }

  /** To be called when the thread has ended. */
  close(): void {
    closeExitEvents(this.#fd);
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
    if (isKernelError(error)) return undefined;
    throw error;
  }
}
