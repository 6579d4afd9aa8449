import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** The control groups called `name` at the top of any hierarchy, version 1 or 2. */
export function cgroupsCalled(name: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, point = ""]) => join(point, name))
    .filter((folder) => existsSync(folder));
}

/** Removes a control group with all below it. Throws EBUSY while a process is in one. */
export function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  rmdirSync(folder);
}
