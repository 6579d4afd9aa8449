import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { findProgram, ownNetns, runProgram } from "./programs.ts";

/** The archive of a root folder with busybox-static and a link for each of its commands; made in `folder`. */
export async function busyboxImage(folder: string): Promise<Buffer> {
  const root = join(folder, "rootfs");
  const bin = join(root, "bin");
  for (const path of [bin, join(root, "tmp"), join(root, "root")]) mkdirSync(path, { recursive: true });
  copyFileSync(findProgram("busybox"), join(bin, "busybox"));
  const commands = await runProgram(ownNetns, "busybox", ["--list"]);
  for (const command of commands.split("\n"))
    if (command !== "" && command !== "busybox") symlinkSync("busybox", join(bin, command));
  const archive = join(folder, "rootfs.tar");
  await runProgram(ownNetns, "tar", ["-C", root, "-cf", archive, "."]);
  return readFileSync(archive);
}
