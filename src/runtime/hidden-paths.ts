import { statSync } from "node:fs";
import * as sys from "../kernel/syscalls.ts";
import { plainData } from "./mount-table.ts";

/** What of /proc and /sys tells about the host or could harm it; the paths that Docker masks. */
const masked = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

/** Settings of the whole machine, which root could change without any capability; the paths that Docker makes read-only. */
const readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Hides and closes what of /proc and /sys is the host's and not the sandbox's. Throws KernelError. */
export function hideHost(): void {
  for (const path of masked) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.isDirectory()) sys.mount("weft", path, "tmpfs", plainData | sys.MS_RDONLY, "size=0,mode=0555");
    else sys.mount("/dev/null", path, null, sys.MS_BIND, null);
  }
  for (const path of readOnly) {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) continue;
    sys.mount(path, path, null, sys.MS_BIND | sys.MS_REC, null);
    sys.setMountAttributes(path, sys.MOUNT_ATTR_RDONLY, true);
  }
}
