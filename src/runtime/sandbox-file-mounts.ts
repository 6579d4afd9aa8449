import { chmodSync, chownSync, mkdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { WeftError } from "../core/index.ts";
import * as sys from "../kernel/syscalls.ts";
import type { SandboxFile } from "./command.ts";
import { HeldPaths, isThere, isWithin, type MountPoint, mountPoints, plainData } from "./mount-table.ts";
import { makeFile, makeFolder } from "./root-folder.ts";

/**
 * Shows the sandbox's files, which `held` has, at their targets. Those that a root folder of the command's own
 * lacks are made in it, to be mounted on; the host's root stays as it is. Throws KernelError, LAUNCH.
 */
export function mountFiles(files: readonly SandboxFile[], held: HeldPaths, ownRoot: boolean): void {
  if (ownRoot) for (const { target } of files) makeFolder(dirname(target));
  const missing = files
    .map(({ target }) => target)
    .filter((target) => !isThere(target) && !(ownRoot && makeFile(target)));
  for (const folder of new Set(missing.map((target) => dirname(target)))) {
    addNames(
      folder,
      missing.filter((target) => dirname(target) === folder).map((target) => basename(target)),
    );
  }
  for (const { source, target } of files) held.show(source, target);
}

/**
 * Makes empty files `names` in `folder` for this mount namespace only: an overlay whose upper layer, in
 * memory, takes them and whatever else the sandbox writes there.
 */
function addNames(folder: string, names: readonly string[]): void {
  if (!isThere(folder)) throw new WeftError("LAUNCH", `cannot show a file in ${folder}: no such folder`);
  const lower = realpathSync(folder);
  const scratch = "/sys"; // any folder that surely is there; its own mount comes afterwards
  makeFolder(scratch);
  sys.mount("weft", scratch, "tmpfs", plainData, "mode=0755");
  const kept = topmostBelow(lower, mountPoints());
  const held = new HeldPaths(kept);
  try {
    const upper = join(scratch, "upper");
    const work = join(scratch, "work");
    mkdirSync(upper);
    mkdirSync(work);
    // The folder that the overlay shows has its upper layer's owner and mode.
    const { mode, uid, gid } = statSync(lower);
    chmodSync(upper, mode);
    chownSync(upper, uid, gid);
    for (const name of names) writeFileSync(join(upper, name), "");
    const options = `lowerdir=${escapeLayer(lower)},upperdir=${upper},workdir=${work}`;
    sys.mount("weft", lower, "overlay", sys.MS_NOSUID | sys.MS_NODEV, options);
    for (const path of kept) held.show(path, path);
  } finally {
    held.close();
    sys.umount(scratch, sys.MNT_DETACH);
  }
}

function escapeLayer(path: string): string {
  return path.replace(/[\\:,]/g, "\\$&");
}

/** The mounts below `folder`, less those that lie below another of them. */
function topmostBelow(folder: string, mounts: readonly MountPoint[]): string[] {
  const below = new Set(mounts.map(({ path }) => path).filter((path) => path.startsWith(`${folder}/`)));
  return [...below].filter((path) => ![...below].some((other) => other !== path && isWithin(path, other)));
}
