import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../peers/programs.ts";

/** Makes a root folder with busybox, a link for each of its commands, and two users. Gives its path. */
export function makeBusyboxRoot(folder: string): string {
  const root = join(folder, "rootfs");
  for (const path of ["bin", "etc", "tmp"]) mkdirSync(join(root, path), { recursive: true });
  const busybox = join(root, "bin", "busybox");
  copyFileSync(findProgram("busybox"), busybox);
  const { stdout } = spawnSync(busybox, ["--list"], { encoding: "utf8" });
  for (const command of stdout.split("\n")) {
    if (command !== "" && command !== "busybox") symlinkSync("busybox", join(root, "bin", command));
  }
  writeFileSync(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nann:x:1001:1002:Ann:/home/ann:/bin/sh\n",
  );
  writeFileSync(
    join(root, "etc/group"),
    "root:x:0:\nann:x:1002:\nwheel:x:10:bob,ann\nstaff:x:50:ann\nother:x:51:bob\n",
  );
  return root;
}
