import { execFileSync } from "node:child_process";
import type { TestContext } from "node:test";
import { atEnd } from "./cleanup.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A folder that has room for so many KiB, gone when the test has ended. */
export function smallDisk(t: TestContext, kib: number): string {
  const folder = temporaryFolder(t);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder]);
  atEnd(t, () => execFileSync("umount", [folder]));
  return folder;
}
