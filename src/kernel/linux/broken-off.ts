import { isKernelError } from "../kernel-error.ts";

/**
 * True for an error that says nothing of what the kernel did: its answer was lost (ENOBUFS) or never came
 * (ETIMEDOUT). Nobody may conclude from it that something was refused.
 */
export function isBrokenOff(error: unknown): boolean {
  return isKernelError(error, "ENOBUFS", "ETIMEDOUT");
}
