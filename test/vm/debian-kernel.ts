import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { findProgram } from "../peers/programs.ts";
import { keptFolder } from "./kept-folder.ts";

/** A kernel of Debian's, unpacked for guests and never installed. */
export interface DebianKernel {
  /** `6.1.0-56-amd64`. */
  readonly version: string;
  /** What unpacking the package gave. */
  readonly folder: string;
  /** What boots. */
  readonly image: string;
}

/** What depends on the newest kernel of this Debian. */
const metaPackage = "linux-image-amd64";

/** Where what was fetched is kept for the next time, outside of any work tree. */
export function cacheFolder(): string {
  return path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "weft");
}

/**
 * The kernel that guests boot: the one in the cache, or else Debian's newest, which is fetched with apt-get.
 * Removing its folder from the cache is how one gets a newer one. Throws when it cannot be had.
 */
export function debianKernel(say: (line: string) => void): DebianKernel {
  if (process.arch !== "x64")
    throw new Error(`guests are made of Debian's kernel for amd64, and this machine is ${process.arch}`);
  const folder = keptFolder(path.join(cacheFolder(), metaPackage), (empty) => fetch(empty, say));
  const [version] = readdirSync(path.join(folder, "lib/modules"));
  if (version === undefined) throw new Error(`${folder} has no kernel modules: remove it to fetch it again`);
  return { version, folder, image: path.join(folder, "boot", `vmlinuz-${version}`) };
}

function fetch(folder: string, say: (line: string) => void): void {
  try {
    download(folder, say);
  } catch {
    // No lists of packages are here, or they name one that is no longer there.
    run(folder, "apt-get", "update", "-q");
    download(folder, say);
  }
  const [file] = readdirSync(folder);
  if (file === undefined) throw new Error(`apt-get download ${metaPackage} gave no file`);
  run(folder, "dpkg-deb", "--extract", file, folder);
  rmSync(path.join(folder, file));
  const [version = ""] = readdirSync(path.join(folder, "lib/modules"));
  run(folder, "depmod", "-b", folder, version);
}

function download(folder: string, say: (line: string) => void): void {
  const described = run(folder, "apt-cache", "show", "--no-all-versions", metaPackage);
  const [, name] = /^Depends:.*?\b(linux-image-[^\s,]+)/m.exec(described) ?? [];
  if (name === undefined) throw new Error(`apt-cache knows no kernel that ${metaPackage} depends on`);
  say(`fetching Debian's ${name} for guests`);
  // apt's own user may not write to the cache of root.
  run(folder, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name);
}

/** The files of the modules that loading these takes, in the order in which they are loaded. */
export function moduleFiles({ folder, version }: DebianKernel, names: readonly string[]): readonly string[] {
  const lines = names.flatMap((name) =>
    run(folder, "modprobe", "-d", folder, "-S", version, "--show-depends", name).split("\n"),
  );
  const files = lines.flatMap((line) => /^insmod (.*\.ko\S*)/.exec(line)?.[1] ?? []);
  return [...new Set(files)];
}

function run(folder: string, name: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(findProgram(name), args, {
    cwd: folder,
    encoding: "utf8",
  });
  if (status === 0) return stdout;
  throw new Error(`${[name, ...args].join(" ")}: ${error?.message ?? stderr.trim()}`);
}
