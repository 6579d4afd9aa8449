import os from "node:os";
import { systemClock } from "../core/index.ts";
import { isKernelError } from "../kernel/kernel-error.ts";
import * as sys from "../kernel/syscalls.ts";
import { identityOf, type ProcessIdentity } from "./process-identity.ts";
import { wouldEnd } from "./signal-effect.ts";

const { SIGTERM, SIGKILL } = os.constants.signals;

/**
 * Ends a command that another launcher started, of an earlier life of the program for instance, and all
 * of its descendants, as SandboxProcess.end does; resolves when they have ended. A process that is gone
 * already, or whose number now stands for another, is no error. Throws KernelError.
 */
export async function endProcess(
  identity: ProcessIdentity,
  options: { readonly graceMs: number },
): Promise<void> {
  const pidfd = openIfThere(identity.pid);
  if (pidfd === undefined) return;
  try {
    // Looked at after the open: from now on the number cannot come to stand for another unnoticed.
    if (!isStill(identity)) return;
    const endsAtOnce = await wouldEnd(identity.pid, "SIGTERM");
    sendIfThere(pidfd, endsAtOnce ? SIGKILL : SIGTERM);
    if (await endedWithin(pidfd, endsAtOnce ? undefined : options.graceMs)) return;
    sendIfThere(pidfd, SIGKILL);
    await endedWithin(pidfd, undefined);
  } finally {
    sys.close(pidfd);
  }
}

function openIfThere(pid: number): number | undefined {
  try {
    return sys.pidfdOpen(pid);
  } catch (error) {
    if (isKernelError(error, "ESRCH")) return undefined;
    throw error;
  }
}

function isStill(identity: ProcessIdentity): boolean {
  try {
    return identityOf(identity.pid).startTicks === identity.startTicks;
  } catch {
    return false; // reaped meanwhile
  }
}

function sendIfThere(pidfd: number, signal: number): void {
  try {
    sys.pidfdSendSignal(pidfd, signal);
  } catch (error) {
    if (!isKernelError(error, "ESRCH")) throw error;
  }
}

/** Waits for the end of a process, `limitMs` at most if given; true when it has ended. */
async function endedWithin(pidfd: number, limitMs: number | undefined): Promise<boolean> {
  const deadline = limitMs === undefined ? undefined : systemClock.monotonic() + limitMs;
  for (;;) {
    const left = deadline === undefined ? -1 : Math.max(0, Math.ceil(deadline - systemClock.monotonic()));
    try {
      return await sys.pollReadableAsync(pidfd, left);
    } catch (error) {
      if (!isKernelError(error, "EINTR")) throw error;
    }
  }
}
